"""The description of the API says what the app does, and all of it."""

import json

from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib.openapi import ROUTES
from chalicelib.problems import MethodNotAllowed, Problem, TooManyRequests, Unauthenticated
from ops.local import openapi
from tests.functional.visitor import Visitor
from tests.infrastructure import BASE_URL, template

COPY = json.loads(openapi.PATH.read_text())


def test_anyone_may_read_the_description_which_names_the_address_that_visitors_use(anyone: Visitor) -> None:
    answer = anyone.get("/openapi.json")

    assert (200, {**COPY, "servers": [{"url": BASE_URL}]}) == (answer.status, answer.body)


def test_the_description_is_valid_openapi() -> None:
    assert [] == list(OpenAPIV31SpecValidator(COPY).iter_errors())


def test_every_route_is_described_and_nothing_else() -> None:
    assert {route.view_name for methods in app.routes.values() for route in methods.values()} - {"show_options"} == set(
        ROUTES
    ) - {"preview"}


def test_a_client_that_is_made_of_it_has_an_operation_for_each_route_by_feature_and_none_for_a_browsers_questions() -> (
    None
):
    operations = [operation for path in COPY["paths"].values() for operation in path.values() if "tags" in operation]

    assert {
        ("access", "get_me"),
        ("analytics", "get_links_by_day"),
        ("clicks", "get_statistics"), ("clicks", "get_clicks_of_links"),
        ("links", "get_link"), ("links", "get_links"), ("links", "post_link"), ("links", "put_link"),
        ("links", "patch_link"), ("links", "remove_link"),
        ("pages", "get_page"), ("pages", "get_page_file"), ("pages", "get_qr_code"),
        ("redirects", "follow_link"), ("redirects", "follow_link_head"), ("redirects", "preview"),
        ("redirects", "unlock_link"), ("redirects", "get_unlock"),
        ("service", "get_home"), ("service", "get_health"), ("service", "get_openapi"), ("service", "get_robots"),
    } == {(tag, operation["operationId"]) for operation in operations for tag in operation["tags"]}  # fmt: skip
    assert ["access", "analytics", "clicks", "links", "pages", "redirects", "service"] == [
        tag["name"] for tag in COPY["tags"]
    ]


def test_every_kind_of_problem_is_said_to_happen_somewhere() -> None:
    said = {
        kind
        for response in COPY["components"]["responses"].values()
        for kind in response["content"]["application/problem+json"]["schema"]["properties"]["type"]["enum"]
    }

    answered_to_no_operation = {MethodNotAllowed.type_uri()}
    assert {kind.type_uri() for kind in kinds_of(Problem)} - answered_to_no_operation == said


def kinds_of(root: type[Problem]) -> set[type[Problem]]:
    """The classes below, which are what is raised."""
    return {kind for child in root.__subclasses__() for kind in {child, *kinds_of(child)}}


def test_a_caller_is_told_under_which_name_a_header_arrives_that_api_gateway_renames() -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html"""
    [header] = Unauthenticated("").headers

    assert f"x-amzn-Remapped-{header}" in COPY["components"]["headers"][header]["description"]


def test_api_gateway_says_that_there_are_too_many_requests_as_the_description_says() -> None:
    throttled = template()["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]["THROTTLED"]

    body = json.loads(throttled["ResponseTemplates"]["application/json"])
    headers = throttled["ResponseParameters"]["Headers"]

    problem = TooManyRequests(body["detail"])
    assert json.loads(problem.body()) == body
    assert problem.status == throttled["StatusCode"]
    assert {name: f"'{value}'" for name, value in problem.headers.items()}.items() <= headers.items()
