"""The clients: how long they may take, and how many there are."""

from typing import Any

import botocore.session
import pytest

from chalicelib import aws
from chalicelib.aws import MODELS
from ops.local.models import OPERATIONS, contents


def test_a_client_is_made_once_and_again_when_it_is_forgotten() -> None:
    first = aws.dynamodb(), aws.sqs()
    same = aws.dynamodb(), aws.sqs()

    aws.forget_clients()

    assert first == same
    assert aws.dynamodb() is not first[0]
    assert aws.sqs() is not first[1]


def test_a_new_client_reads_the_environment_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    before = aws.sqs().meta.region_name

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    aws.forget_clients()

    assert ("eu-central-1", "us-east-1") == (before, aws.sqs().meta.region_name)


def test_a_visitor_waits_two_seconds_at_most_for_a_dead_queue() -> None:
    config: Any = aws.sqs().meta.config

    # Either connecting or reading times out; between two attempts botocore pauses for a second at most.
    attempts = config.retries["total_max_attempts"]
    assert attempts * max(config.connect_timeout, config.read_timeout) + (attempts - 1) * 1 <= 2


def test_the_models_are_what_the_pinned_botocore_says() -> None:
    assert contents() == {
        str(path.relative_to(MODELS)): path.read_text() for path in MODELS.rglob("*.*") if path.is_file()
    }


@pytest.mark.parametrize("service", OPERATIONS)
def test_what_a_client_can_do_it_does_as_botocores_own(service: str) -> None:
    own: Any = getattr(aws, service)().meta
    botocores: Any = botocore.session.get_session().create_client(service).meta

    assert {*OPERATIONS[service]} == {*own.service_model.operation_names}
    for operation in own.service_model.operation_names:
        ours, theirs = (meta.service_model.operation_model(operation) for meta in (own, botocores))
        assert shape_of(ours.input_shape) == shape_of(theirs.input_shape)
        assert shape_of(ours.output_shape) == shape_of(theirs.output_shape)
        assert [shape.name for shape in ours.error_shapes] == [shape.name for shape in theirs.error_shapes]


def shape_of(shape: Any) -> Any:
    """What botocore sends and reads of a shape."""
    return shape and (shape.type_name, shape.serialization, sorted(getattr(shape, "members", {})))


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
@pytest.mark.parametrize("service", ["dynamodb", "sns", "sqs"])
def test_a_client_goes_where_botocores_own_goes(monkeypatch: pytest.MonkeyPatch, service: str, region: str) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    aws.forget_clients()

    expected = botocore.session.get_session().create_client(service).meta.endpoint_url

    assert expected == getattr(aws, service)().meta.endpoint_url


def test_services_that_only_credentials_come_from_are_found_in_botocores_own_data() -> None:
    sts = aws._session().create_client("sts")  # noqa: SLF001 (botocore makes this client in our session by itself)

    assert "https://sts.eu-central-1.amazonaws.com" == sts.meta.endpoint_url


@pytest.fixture
def in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "linkly-dev-api_handler")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # botocore obeys it too


@pytest.mark.usefixtures("in_lambda")
def test_in_lambda_amazon_vouches_for_its_endpoints() -> None:
    assert str(MODELS / "amazon-roots.pem") == authorities()


@pytest.mark.usefixtures("in_lambda")
def test_whoever_sets_other_authorities_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/somewhere/else.pem")

    assert "/somewhere/else.pem" == authorities()


@pytest.mark.usefixtures("in_lambda")
def test_in_china_all_of_botocores_authorities_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")

    assert authorities() is True


@pytest.mark.usefixtures("in_lambda")
def test_on_an_operators_machine_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")

    assert authorities() is True


def authorities() -> Any:
    """Who may vouch for AWS's endpoints: a file, or True for botocore's own list."""
    aws.forget_clients()
    client: Any = aws.dynamodb()
    return client._endpoint.http_session._verify  # noqa: SLF001 (nobody else knows)
