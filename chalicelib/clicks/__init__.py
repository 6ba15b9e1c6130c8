"""Count every click exactly once."""
