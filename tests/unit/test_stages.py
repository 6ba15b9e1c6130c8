"""Which stage a command is about."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.shared import stages
from ops.shared.stages import StageUnknown, function_environment


def lambda_that_answers(code: str) -> Any:
    """Lambda's client, which refuses."""

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "GetFunctionConfiguration")

    return type("Lambda", (), {"get_function_configuration": staticmethod(refuse)})


@pytest.mark.parametrize(
    ("stage", "code", "advice"),
    [
        ("prod", "ResourceNotFoundException", "Deploy it: make deploy STAGE=prod"),
        ("prd", "ResourceNotFoundException", "There may be dev and prod."),
        ("prod!", "ValidationException", "There may be dev and prod."),
    ],
)
def test_a_stage_that_is_not_there_is_deployed_or_spelled_otherwise(
    stage: str, code: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "client", lambda _: lambda_that_answers(code))

    with pytest.raises(StageUnknown) as unknown:
        function_environment(stage)

    assert f"There is no stage {stage!r} in this account and region. {advice}" == str(unknown.value)


def test_another_refusal_of_aws_is_not_taken_for_an_unknown_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "client", lambda _: lambda_that_answers("AccessDeniedException"))

    with pytest.raises(ClientError):
        function_environment("dev")
