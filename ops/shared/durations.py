"""Lengths of time, as they are typed: 90d, 2h, 30m."""

import re
from datetime import timedelta

import typer

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def duration(text: str) -> timedelta:
    """A whole number of minutes, hours or days, up to a hundred years. Raises BadParameter."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None or (length := int(match[1]) * _UNITS[match[2]]) > timedelta(days=36_500):
        raise typer.BadParameter("give a whole number and a unit, such as 90d, 2h or 30m")
    return length
