"""The operator's commands: `python -m ops`. Nothing in here ships in the Lambda zip."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent
"""The root of the checkout."""
