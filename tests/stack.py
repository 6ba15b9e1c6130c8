"""The stack of end-to-end and browser tests: the packaged app, deployed to an emulated AWS with IAM enforced."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chalicelib import aws as app_aws
from ops.deploying.deployment import Deployment, deploy
from ops.deploying.package import Package
from ops.local import emulator, run
from ops.shared import emulation
from ops.shared.stages import LOCAL, function_environment
from tests.deployed import Linkly, free_port, linkly_at
from tests.packages import packaged

ALLOWED_ORIGIN = "https://admin.example.com"
# A purge must still come later than the last click, which memory and cache allow some seconds after a deletion.
SHORT_WAITS = {"RetryPauseSeconds": str(run.RETRY_PAUSE_SECONDS), "PurgeDelaySeconds": "12"}


AT_THE_EDGE = {"Edge": "true", "RedirectConcurrency": "16", "Alarms": "none"}
"""CloudFront as the front door. The emulation knows no alarm that divides one metric by another."""


@contextmanager
def deployed(
    directory: Path, package: Package, parameters: Mapping[str, str | None], **how: Any
) -> Iterator[tuple[str, Deployment]]:
    """The stage `local` on an emulated AWS of its own, with its endpoint; `how` is for `emulated_aws`."""
    with _emulated(directory, **how) as endpoint, _stage(package, parameters) as deployment:
        yield endpoint, deployment


@contextmanager
def _emulated(directory: Path, **how: Any) -> Iterator[str]:
    """An emulated AWS, to which this process's environment then points; its endpoint."""
    with emulator.emulated_aws(free_port(), directory, **how) as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in emulation.environment(endpoint).items():
            patch.setenv(name, value)
        yield endpoint


@contextmanager
def _stage(package: Package, parameters: Mapping[str, str | None]) -> Iterator[Deployment]:
    """The stage `local`, deployed there; the app's modules in this process then work on it too."""
    deployment = deploy(package, LOCAL, {**SHORT_WAITS, **parameters}, lambda _: None)
    emulator.complete(deployment)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in function_environment(LOCAL).items():
            patch.setenv(name, value)
        app_aws.forget_clients()
        yield deployment
    app_aws.forget_clients()


@pytest.fixture(scope="session")
def aws_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulated AWS that the tests of a process share."""
    with _emulated(tmp_path_factory.mktemp("aws")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def deployment(aws_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The stage `local`, deployed there."""
    assert aws_endpoint
    with _stage(packaged(LOCAL, tmp_path_factory), {"AllowedOrigins": ALLOWED_ORIGIN}) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def linkly(aws_endpoint: str, deployment: Deployment) -> Iterator[Linkly]:
    """Linkly over its API Gateway URL."""
    with linkly_at(emulation.deployed_url(aws_endpoint, deployment.outputs)) as deployed:
        yield deployed
