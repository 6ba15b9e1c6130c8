"""What GitHub runs for us."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from ops import PROJECT
from ops import __main__ as commands
from ops.deploying.settings import NOT_OFFERED

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def workflow(name: str) -> Any:
    return yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text())


def settings() -> dict[str, str]:
    """The environment variable of each option of `deploy` that is a setting, by the parameter's name."""
    group: Any = typer.main.get_command(commands.commands)
    deploy = group.get_command(None, "deploy")
    return {option.name: option.envvar for option in deploy.get_params(typer.Context(deploy)) if option.envvar}


def test_github_understands_them() -> None:
    validator = Path(sys.executable).with_name("check-jsonschema")

    done = subprocess.run(
        [validator, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "ok -- validation done\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())

    assert used
    assert [] == [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)]


def test_every_real_stage_can_be_chosen() -> None:
    stages = json.loads((PROJECT / ".chalice" / "config.json").read_text())["stages"].keys() - {"local"}

    # YAML 1.1 reads the key `on` as true.
    assert stages == set(workflow("deploy")[True]["workflow_dispatch"]["inputs"]["stage"]["options"])


def test_a_deployment_has_the_python_of_its_stage_and_otherwise_the_newest_that_is_checked() -> None:
    def python(job: Any) -> str:
        [setup] = [step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@")]
        version: str = setup["with"]["python-version"]
        return version

    checked = workflow("check")["jobs"]["check"]["strategy"]["matrix"]["python"]
    newest = max(checked, key=lambda version: [int(part) for part in version.split(".")])

    assert f"${{{{ vars.PYTHON_VERSION || '{newest}' }}}}" == python(workflow("deploy")["jobs"]["deploy"])
    assert "${{ matrix.python }}" == python(workflow("check")["jobs"]["check"])


def test_every_setting_of_the_environment_reaches_the_deployment() -> None:
    [deployment] = [step for step in workflow("deploy")["jobs"]["deploy"]["steps"] if step.get("run") == "make deploy"]

    assert {name: f"${{{{ vars.{name} }}}}" for name in settings().values()} == deployment["env"]


def test_every_setting_is_a_parameter_of_the_stack(template: Mapping[str, Any]) -> None:
    parameters = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in template["Parameters"]}

    assert parameters == settings() | {name: parameters[name] for name in NOT_OFFERED - {"Stage"}}
