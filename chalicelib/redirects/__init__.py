"""Follow a code to its target: memory, cache, link."""
