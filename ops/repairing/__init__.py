"""What is done when something went wrong: dead letters, clicks, consumers, the redirect cache, lost data."""
