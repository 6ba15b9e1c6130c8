"""What was tried, for the summary that a run prints: a passing test says too little about how hard it looked."""

from collections import Counter

done: Counter[str] = Counter()
"""Runs, clicks, deliveries, calls and their like."""

faults: Counter[str] = Counter()
"""What the adversary did to them, by kind."""

caught: dict[str, int] = {}
"""In which run each mistake was caught, by its name."""
