"""How anything is measured here: in turns with its baseline, several times over, and the medians compared."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ops.local import emulator

PROGRAMS = Path(__file__).parent / "programs"
BASELINE = "baseline"


class ProgramFailed(Exception):
    """What was to be measured did not run; the message says which program it was. Its output stands above."""


@dataclass(frozen=True)
class Figure:
    """What something cost in each round, in one unit, and its baseline's cost in the same rounds."""

    samples: Sequence[float]
    baseline: Sequence[float]

    @property
    def median(self) -> float:
        """What it costs."""
        return median(self.samples)

    @property
    def baseline_median(self) -> float:
        """What the baseline costs."""
        return median(self.baseline)

    @property
    def ratio(self) -> float:
        """How many times the baseline that is: the median of the rounds' ratios, each of two neighbours in time."""
        return median(mine / theirs for mine, theirs in zip(self.samples, self.baseline, strict=True))


def in_turns(rounds: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, Figure]:
    """Measure each once a round. The one called BASELINE is what the others are compared with."""
    samples: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            samples[name].append(measure())
    return {name: Figure(each, samples[BASELINE]) for name, each in samples.items()}


def cpu_seconds(program: str, *arguments: str, environment: Mapping[str, str]) -> float:
    """The CPU time, of user and system, that a fresh process takes from its start to its end.

    It has Lambda's surroundings: boto3 and nothing else is installed, and nothing that is compiled can be kept.
    """
    process = os.posix_spawn(
        emulator.PYTHON,
        (emulator.PYTHON, PROGRAMS / program, *arguments),
        {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise ProgramFailed(f"{program} {' '.join(arguments)}")
    return usage.ru_utime + usage.ru_stime
