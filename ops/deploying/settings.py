"""The settings of a stage: the template's parameters, each an option of `deploy` and a variable of its environment."""

import inspect
import math
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ops.deploying.package import merged_infra

NOT_OFFERED = {"Stage", "RetryPauseSeconds", "PurgeDelaySeconds"}
"""Packaging writes the stage out; the two times are the same wherever somebody deploys."""


class CommandWithSettings(TyperCommand):
    """A command with an option for each setting. What is given of them is its context's `obj`, by parameter.

    They are read when the command is called or explained, since every other command would wait for that.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own, and after them the settings."""
        return [*super().get_params(ctx), *options()]

    def invoke(self, ctx: Any) -> Any:
        """Call the command's function, which knows of its own options only."""
        ctx.obj = {name: ctx.params.pop(name) for name in offered()}
        return super().invoke(ctx)


@cache
def offered() -> Mapping[str, Mapping[str, Any]]:
    """What the template says of each setting, by the parameter's name."""
    return {name: described for name, described in merged_infra()["Parameters"].items() if name not in NOT_OFFERED}


@cache
def options() -> list[Any]:
    """The options, as typer makes them of a function's signature."""

    def settings() -> None:
        """Only has this signature."""

    vars(settings)["__signature__"] = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(name, described))
            for name, described in offered().items()
        ]
    )
    program = typer.Typer(add_completion=False)
    program.command()(settings)
    return typer.main.get_command(program).params


def variable(name: str) -> str:
    """The environment variable of a parameter: BASE_URL of BaseUrl."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()


def _option(name: str, described: Mapping[str, Any]) -> Any:
    """The option of a parameter."""
    limits = _limits(described)
    option = typer.Option(
        f"--{variable(name).lower().replace('_', '-')}",
        envvar=variable(name),
        help=described["Description"] + (f" ({limits})" if limits else ""),
        callback=_check(described),
        rich_help_panel="Settings; one that is not given stays as it is",
    )
    kind = int if described["Type"] == "Number" else str
    return Annotated[kind | None, option]


def _limits(described: Mapping[str, Any]) -> str:
    """What a value must be, in words; a pattern has none."""
    match described:
        case {"AllowedValues": values}:
            return f"one of {', '.join(values)}"
        case {"MinValue": least, "MaxValue": most}:
            return f"from {least} to {most}"
        case {"MinValue": least}:
            return f"at least {least}"
        case _:
            return ""


def _check(described: Mapping[str, Any]) -> Callable[[Any], Any]:
    """What refuses a value that CloudFormation would refuse, before anything is packaged. Lets pass what is empty.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    allowed = described.get("AllowedValues")
    least, most = described.get("MinValue", -math.inf), described.get("MaxValue", math.inf)
    pattern = described.get("AllowedPattern")

    def check(value: Any) -> Any:
        if value in {None, ""}:
            return value
        if (allowed and value not in allowed) or (described["Type"] == "Number" and not least <= value <= most):
            raise typer.BadParameter(f"{value} is not {_limits(described)}")
        if pattern and not re.fullmatch(pattern, value):
            raise typer.BadParameter(f"{value!r} does not match {pattern}")
        return value

    return check
