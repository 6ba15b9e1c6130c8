"""What operators enter and take out: API keys, blocked domains, links in files."""
