"""More requests than API Gateway lets through."""

from collections.abc import Iterator
from contextlib import contextmanager

from ops.deploying.deployment import Deployment
from ops.shared.aws import client
from tests.deployed import Linkly
from tests.e2e.test_http import assert_problem


@contextmanager
def one_new_link_at_a_time(api: str) -> Iterator[None]:
    """Lower the throttle of POST /links for a while, to one in a hundred seconds."""
    apigateway, path = client("apigateway"), "/~1links/POST"
    limits = {"rateLimit": "0.01", "burstLimit": "1"}
    lower = [{"op": "replace", "path": f"{path}/throttling/{name}", "value": limits[name]} for name in limits]
    apigateway.update_stage(restApiId=api, stageName="api", patchOperations=lower)
    try:
        yield
    finally:
        apigateway.update_stage(restApiId=api, stageName="api", patchOperations=[{"op": "remove", "path": path}])


def test_too_many_new_links_are_told_to_come_back_and_redirects_go_on(linkly: Linkly, deployment: Deployment) -> None:
    code = linkly.create()

    with one_new_link_at_a_time(deployment.outputs["RestAPIId"]):
        answers = [linkly.alice.post("/links", json={"url": "https://example.com/"}) for _ in range(3)]
        linkly.follow(code, times=3)

    assert {201, 429} >= {answer.status_code for answer in answers}
    assert_problem(answers[-1], 429)
    assert "1" == answers[-1].headers["retry-after"]
    linkly.create()


def test_the_stage_has_the_limits_of_the_template(deployment: Deployment) -> None:
    settings = client("apigateway").get_stage(restApiId=deployment.outputs["RestAPIId"], stageName="api")

    limits = {
        path.removeprefix("/"): (each["throttlingRateLimit"], each["throttlingBurstLimit"])
        for path, each in settings["methodSettings"].items()
    }

    assert {"*/*": (500, 1000), "~1links/POST": (50, 200)} == limits
