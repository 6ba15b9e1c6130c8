"""The signature of a request: AWS's own example, and botocore as the judge of all others."""

import datetime as dt
from datetime import UTC, datetime
from unittest.mock import patch

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoresCredentials
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.signature import Credentials, Place, signed_headers, signing_key
from tests.builders import NOW

DYNAMODB = Place("dynamodb.eu-central-1.amazonaws.com", "eu-central-1", "dynamodb")
SQS_HERE = Place("127.0.0.1:4566", "us-gov-west-1", "sqs")

secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
places = st.sampled_from([DYNAMODB, SQS_HERE, Place("[::1]:4566", "us-east-1", "sqs")])
moments = st.datetimes(datetime(2020, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)


def test_the_key_is_that_of_awss_example() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-examples.html."""
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    key = signing_key(secret, "20150830", "us-east-1", "iam")

    assert "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9" == key.hex()


@given(
    credentials=st.builds(Credentials, secrets, secrets, st.just("") | secrets.map(lambda text: 25 * text)),
    place=places,
    target=st.sampled_from(["DynamoDB_20120810.GetItem", "AmazonSQS.SendMessage"]),
    body=st.binary(max_size=300),
    moment=moments,
)
@example(Credentials("a", "b", ""), DYNAMODB, "DynamoDB_20120810.PutItem", b"", NOW)
def test_every_request_is_signed_as_botocore_signs_it(
    credentials: Credentials, place: Place, target: str, body: bytes, moment: datetime
) -> None:
    headers = signed_headers(credentials, place, target, body, moment)

    assert botocores_headers(credentials, place, target, body, moment) == headers


def botocores_headers(
    credentials: Credentials, place: Place, target: str, body: bytes, moment: datetime
) -> dict[str, str]:
    request = AWSRequest(
        "POST",
        f"https://{place.host}/",
        data=body,
        headers={"Content-Type": "application/x-amz-json-1.0", "Host": place.host, "X-Amz-Target": target},
    )
    signer = botocore.auth.SigV4Auth(
        BotocoresCredentials(credentials.access_key, credentials.secret_key, credentials.token or None),
        place.service,
        place.region,
    )
    now = moment.astimezone(dt.UTC)
    with patch("botocore.auth.get_current_datetime", lambda: now):
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_a_days_key_is_kept_and_another_day_has_another_one() -> None:
    signing_key.cache_clear()

    for hour in (1, 2, 3):
        signed_headers(Credentials("a", "b", "c"), DYNAMODB, "x.GetItem", b"{}", NOW.replace(hour=hour))
    signed_headers(Credentials("a", "b", "c"), DYNAMODB, "x.GetItem", b"{}", NOW.replace(day=28))

    assert (2, 2) == (signing_key.cache_info().misses, signing_key.cache_info().hits)
