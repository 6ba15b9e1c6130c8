"""The service itself: whether it answers, and how it is used."""
