"""Links created per day, in a table of its own."""
