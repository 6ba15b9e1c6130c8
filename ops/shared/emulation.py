"""How the emulated AWS is reached. ops/local/emulator.py runs it."""

from collections.abc import Mapping

REGION = "eu-central-1"


def environment(endpoint: str) -> dict[str, str]:
    """What points AWS clients at the emulated AWS."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }


BY_PATH = "/_aws/cloudfront/"
"""Below which a distribution answers, by the first label of its name; ops/local/emulator_process.py sees to it."""


def deployed_url(endpoint: str, outputs: Mapping[str, str]) -> str:
    """Where visitors come in, without a slash at the end: at the distribution, if there is one, or at the API."""
    if edge := outputs.get("EdgeURL"):
        return f"{endpoint}{BY_PATH}{edge.removeprefix('https://').partition('.')[0]}"
    return api_url(endpoint, outputs)


def api_url(endpoint: str, outputs: Mapping[str, str]) -> str:
    """Where the deployed API answers, without a slash at the end."""
    return f"{endpoint}/_aws/execute-api/{outputs['RestAPIId']}/api"
