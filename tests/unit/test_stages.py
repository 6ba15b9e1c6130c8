"""Which stage a command is about."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deploying.deploy import short_urls
from ops.shared import stages
from ops.shared.stages import StageUnknown, address, function_environment


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


API = {"RestAPIId": "abc", "EndpointURL": "https://abc.execute-api.eu-central-1.amazonaws.com/api/"}
EDGE = {**API, "EdgeURL": "https://d1234.cloudfront.net"}


@pytest.mark.parametrize(
    ("outputs", "on_aws", "emulated"),
    [
        (API, API["EndpointURL"].rstrip("/"), "http://localhost:4566/_aws/execute-api/abc/api"),
        (EDGE, EDGE["EdgeURL"], "http://localhost:4566/_aws/cloudfront/d1234"),
    ],
    ids=["API Gateway", "CloudFront"],
)
def test_a_stage_is_asked_where_its_visitors_come_in(
    outputs: dict[str, str], on_aws: str, emulated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert on_aws == address(outputs)

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    assert emulated == address(outputs)


def test_whoever_deploys_the_edge_without_a_domain_is_told_how_short_urls_come_to_lead_there() -> None:
    command = "BASE_URL=https://d1234.cloudfront.net make deploy STAGE=dev"
    advice = f"Short URLs go by API Gateway still. By CloudFront: {command}"

    assert [advice] == short_urls("dev", EDGE, {"BASE_URL": ""})
    assert [] == short_urls("dev", EDGE, {"BASE_URL": "https://go.example.com"})
    assert [] == short_urls("dev", API, {"BASE_URL": ""})
