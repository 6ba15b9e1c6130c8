"""CloudFront before the redirect: what makes it safe for exact counts, and work at all.

What can be seen in the template only. The rest is tried on the emulated AWS, in tests/e2e/test_edge.py.
"""

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from app import app
from chalicelib.middleware import PUBLIC
from ops.deploying.generated import behaviours
from ops.deploying.package import merged_infra
from tests.infra.conftest import Resources, made, of_type, refusals

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST_HEADER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

ALL_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
AN_ARN = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/ours/1"
ON = {"Edge": "true", "RedirectConcurrency": "100"}

MOST_BEHAVIOURS = 25
"""Unless one asks for more: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html."""


@pytest.fixture(scope="module")
def edge(template: Mapping[str, Any]) -> Resources:
    """The resources of a stage with EDGE=true."""
    return made(template, **ON)


@pytest.fixture(scope="module")
def distribution(edge: Resources) -> Mapping[str, Any]:
    config: Mapping[str, Any] = edge["Distribution"]["Properties"]["DistributionConfig"]
    return config


def behaviour_of(path: str, distribution: Mapping[str, Any]) -> Mapping[str, Any]:
    """The behaviour that CloudFront takes for a path: the first whose pattern matches, else the default one."""
    found: Mapping[str, Any]
    for found in distribution["CacheBehaviors"]:
        if fnmatchcase(path, found["PathPattern"]):
            return found
    found = distribution["DefaultCacheBehavior"]
    return found


def test_without_it_nothing_of_it_is_there(template: Mapping[str, Any]) -> None:
    usual, edge = made(template), made(template, **ON)
    kinds = {"AWS::Lambda::Url", *(each["Type"] for each in edge.values() if "CloudFront" in each["Type"])}

    assert 5 == len(kinds)
    assert not kinds & {each["Type"] for each in usual.values()}
    assert {
        "Distribution", "FollowLinkUrl", "OnlyCloudFront", "FollowLinkUrlPermission", "FollowLinkEdgePermission",
        "VisitorsHeaders", "VersionedFiles", "RedirectErrorsAlarm", "RedirectsSlowAlarm",
    } == edge.keys() - usual.keys()  # fmt: skip
    assert not usual.keys() - edge.keys()


def test_without_it_what_is_there_is_as_it_was(template: Mapping[str, Any]) -> None:
    usual, edge = made(template), made(template, **ON)

    changed = {name for name, each in usual.items() if each != edge[name]}

    # With it: the concurrency, the endpoint and the metrics. A deployment's name has a hash of the API's body in it.
    assert {"FollowLink", "RestAPI", "PipelineDashboard"} == changed
    assert "ReservedConcurrentExecutions" not in usual["FollowLink"]["Properties"]
    assert {"Types": ["EDGE"]} == usual["RestAPI"]["Properties"]["EndpointConfiguration"]
    assert "Url" not in json.dumps(usual["PipelineDashboard"]).replace("RunbookUrl", "")


def test_1_no_two_visitors_get_one_answer(distribution: Mapping[str, Any]) -> None:
    cached = {
        each["PathPattern"] for each in distribution["CacheBehaviors"] if each["CachePolicyId"] != CACHING_DISABLED
    }

    assert CACHING_DISABLED == distribution["DefaultCacheBehavior"]["CachePolicyId"]
    assert {"/ui/*"} == cached  # files of the owners' page


def test_2_no_request_is_repeated_and_each_has_longer_than_its_function(
    edge: Resources, distribution: Mapping[str, Any]
) -> None:
    slowest = max(edge[name]["Properties"]["Timeout"] for name in ("FollowLink", "APIHandler"))

    for origin in distribution["Origins"]:
        assert 1 == origin["ConnectionAttempts"]
        assert origin["CustomOriginConfig"]["OriginReadTimeout"] > slowest
    assert "OriginGroups" not in distribution


def test_3_no_error_is_cached(distribution: Mapping[str, Any]) -> None:
    kept = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in distribution["CustomErrorResponses"]}

    assert kept.keys() >= {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}
    assert {0} == set(kept.values())
    # And none is replaced by a page, which would be another answer than ours.
    assert {("ErrorCode", "ErrorCachingMinTTL")} == {tuple(each) for each in distribution["CustomErrorResponses"]}


def test_4_our_distribution_may_call_the_function_by_its_url_and_nobody_else(edge: Resources) -> None:
    arn = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
    ours = {
        "FunctionName": {"Ref": "FollowLink"},
        "Principal": "cloudfront.amazonaws.com",
        "SourceArn": {"Fn::Sub": arn},
    }

    permissions = [
        each
        for each in of_type(edge, "AWS::Lambda::Permission").values()
        if each["Principal"] not in {"apigateway.amazonaws.com", "sns.amazonaws.com"}
    ]

    assert [
        {**ours, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
        {**ours, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    ] == sorted(permissions, key=lambda each: len(each["Action"]), reverse=True)
    assert "AWS_IAM" == edge["FollowLinkUrl"]["Properties"]["AuthType"]


def test_5_cloudfront_signs_what_it_asks_the_function(edge: Resources, distribution: Mapping[str, Any]) -> None:
    redirects, api = distribution["Origins"]

    control = {**edge["OnlyCloudFront"]["Properties"]["OriginAccessControlConfig"]}
    control.pop("Name")
    assert {
        "OriginAccessControlOriginType": "lambda", "SigningBehavior": "always", "SigningProtocol": "sigv4",
    } == control  # fmt: skip
    assert {"Fn::GetAtt": ["OnlyCloudFront", "Id"]} == redirects["OriginAccessControlId"]
    assert "OriginAccessControlId" not in api


def test_6_origins_are_asked_over_https_by_their_own_hosts(edge: Resources, distribution: Mapping[str, Any]) -> None:
    redirects, api = distribution["Origins"]
    [stage] = of_type(edge, "AWS::ApiGateway::Stage")

    url = {"Fn::GetAtt": ["FollowLinkUrl", "FunctionUrl"]}
    assert {"Fn::Select": [2, {"Fn::Split": ["/", url]}]} == redirects["DomainName"]
    assert {"Fn::Sub": "${RestAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}"} == api["DomainName"]
    assert {"Fn::Sub": "/${RestAPI.Stage}"} == api["OriginPath"] or {"Fn::Sub": f"/${{{stage}}}"} == api["OriginPath"]
    for origin in (redirects, api):
        assert ("https-only", ["TLSv1.2"]) == (
            origin["CustomOriginConfig"]["OriginProtocolPolicy"],
            origin["CustomOriginConfig"]["OriginSSLProtocols"],
        )


def test_7_of_a_visitor_what_is_kept_or_answered_by_is_passed_on_and_no_address_and_no_cookie(
    edge: Resources, distribution: Mapping[str, Any]
) -> None:
    policy = edge["VisitorsHeaders"]["Properties"]["OriginRequestPolicyConfig"]

    assert {"Ref": "VisitorsHeaders"} == distribution["DefaultCacheBehavior"]["OriginRequestPolicyId"]
    assert {
        "HeaderBehavior": "whitelist",
        "Headers": [
            "Accept", "Accept-Language", "CloudFront-Viewer-Country", "Content-Type", "DNT", "Origin", "Referer",
            "Sec-GPC", "User-Agent",
        ],
    } == policy["HeadersConfig"]  # fmt: skip
    assert {"CookieBehavior": "none"} == policy["CookiesConfig"]
    assert {"QueryStringBehavior": "all"} == policy["QueryStringsConfig"]  # forward_query, and utm_source


def test_8_no_function_depends_on_the_distribution(edge: Resources) -> None:
    for name, function in of_type(edge, "AWS::Lambda::Function").items():
        assert "Distribution" not in json.dumps(function), name


def test_10_owners_keys_arrive_and_nothing_of_a_visitor_goes_with_them(distribution: Mapping[str, Any]) -> None:
    for (method, path), policy in {
        ("GET", "/links"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("POST", "/links"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("DELETE", "/links/abc"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("GET", "/stats/abc"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("GET", "/analytics/links"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("GET", "/me"): ALL_VIEWER_EXCEPT_HOST_HEADER,
        ("POST", "/unlock/abc"): {"Ref": "VisitorsHeaders"},
        ("GET", "/health"): {"Ref": "VisitorsHeaders"},
        ("GET", "/ui"): {"Ref": "VisitorsHeaders"},
        ("GET", "/robots.txt"): {"Ref": "VisitorsHeaders"},
    }.items():
        found = behaviour_of(path, distribution)

        assert ("api", policy) == (found["TargetOriginId"], found["OriginRequestPolicyId"]), path
        assert method in found["AllowedMethods"]


def test_10_a_key_never_goes_over_plain_http(distribution: Mapping[str, Any]) -> None:
    for each in distribution["CacheBehaviors"]:
        if each.get("OriginRequestPolicyId") == ALL_VIEWER_EXCEPT_HOST_HEADER:
            assert "https-only" == each["ViewerProtocolPolicy"]
    assert "redirect-to-https" == distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"]


def test_11_every_route_of_the_app_goes_to_the_api_and_links_and_all_else_to_the_function(
    distribution: Mapping[str, Any],
) -> None:
    def origin(path: str) -> str:
        target: str = behaviour_of(path, distribution)["TargetOriginId"]
        return target

    ours = {re.sub(r"\{\w+\}", "abc", path) for path in app.routes if path not in {"/", "/{code}"}}

    assert {"api"} == {origin(path) for path in ours} | {origin(f"{path}/") for path in ours}
    assert {"redirects"} == {
        origin(path)
        for path in ("/", "/abc", "/abc+", "/abc/", "/no/such/path", *(f"/{path.split('/')[1]}x" for path in ours))
    }
    assert ALL_METHODS == distribution["DefaultCacheBehavior"]["AllowedMethods"]
    assert len(distribution["CacheBehaviors"]) + 1 <= MOST_BEHAVIOURS


def test_11_each_first_segment_has_a_pair_of_patterns_so_that_no_link_is_taken(
    distribution: Mapping[str, Any],
) -> None:
    segments = {path.split("/")[1] for path in app.routes} - {"", "{code}"}

    patterns = [each["PathPattern"] for each in distribution["CacheBehaviors"]]

    assert sorted(f"/{each}{rest}" for each in segments for rest in ("", "/*")) == sorted(patterns)


def test_files_with_a_version_in_their_address_are_cached_and_the_page_that_names_them_is_not(
    edge: Resources,
) -> None:
    paths: dict[str, dict[str, Any]] = {
        path: {"get": {}, "options": {}} for path in ("/", "/{code}", "/ui", "/ui/{version}/{file}")
    }
    public = {("GET", path) for path in paths}

    page, files = behaviours(paths, public, merged_infra()["EachPath"])

    assert ("/ui", CACHING_DISABLED) == (page["PathPattern"], page["CachePolicyId"])
    assert ("/ui/*", {"Ref": "VersionedFiles"}) == (files["PathPattern"], files["CachePolicyId"])
    # What does not say for how long it may be kept, an error for one, is not kept.
    policy = edge["VersionedFiles"]["Properties"]["CachePolicyConfig"]
    assert (0, 0) == (policy["MinTTL"], policy["DefaultTTL"])
    assert {"none"} == {
        behaviour
        for name, config in policy["ParametersInCacheKeyAndForwardedToOrigin"].items()
        if name.endswith("Config")
        for behaviour in config.values()
    }


def test_a_path_where_any_route_asks_for_a_key_gets_owners_headers() -> None:
    paths: dict[str, dict[str, Any]] = {
        path: {"get": {}, "options": {}} for path in ("/links/{code}", "/links/{code}/qr.svg", "/health")
    }

    found = behaviours(paths, {("GET", "/health"), ("GET", "/links/{code}/qr.svg")}, merged_infra()["EachPath"])

    assert {
        "/health": {"Ref": "VisitorsHeaders"},
        "/health/*": {"Ref": "VisitorsHeaders"},
        "/links": ALL_VIEWER_EXCEPT_HOST_HEADER,
        "/links/*": ALL_VIEWER_EXCEPT_HOST_HEADER,
    } == {each["PathPattern"]: each["OriginRequestPolicyId"] for each in found}


def test_no_behaviour_of_visitors_has_a_route_that_asks_for_a_key(distribution: Mapping[str, Any]) -> None:
    for path, methods in app.routes.items():
        if behaviour_of(path, distribution).get("OriginRequestPolicyId") != ALL_VIEWER_EXCEPT_HOST_HEADER:
            assert {(method, path) for method in methods if method != "OPTIONS"} <= PUBLIC


FIREWALL = {**ON, "Firewall": "true"}


@pytest.mark.parametrize(
    ("where", "given", "expected"),
    [
        ("us-east-1", ON, None),
        ("us-east-1", FIREWALL, {"Fn::GetAtt": ["EdgeFirewallRules", "Arn"]}),
        ("us-east-1", {**FIREWALL, "EdgeFirewallArn": AN_ARN}, {"Ref": "EdgeFirewallArn"}),
        ("eu-central-1", {**FIREWALL, "EdgeFirewallArn": AN_ARN}, {"Ref": "EdgeFirewallArn"}),
        ("eu-central-1", {**ON, "EdgeFirewallArn": AN_ARN}, {"Ref": "EdgeFirewallArn"}),
    ],
)
def test_12_a_firewall_is_made_in_us_east_1_and_elsewhere_one_s_own(
    template: Mapping[str, Any], where: str, given: dict[str, str], expected: Any
) -> None:
    given = {**given, "AWS::Region": where}

    found = made(template, **given)

    assert [] == refusals(template, given)
    assert expected == found["Distribution"]["Properties"]["DistributionConfig"].get("WebACLId")
    scopes = {name: each["Scope"] for name, each in of_type(found, "AWS::WAFv2::WebACL").items()}
    at_the_edge = (
        {"EdgeFirewallRules": "CLOUDFRONT"} if expected == {"Fn::GetAtt": ["EdgeFirewallRules", "Arn"]} else {}
    )
    assert {**({"FirewallRules": "REGIONAL"} if "Firewall" in given else {}), **at_the_edge} == scopes


def test_12_both_firewalls_have_the_same_rules(template: Mapping[str, Any]) -> None:
    own = ("Name", "Scope")
    api, edge = (
        {key: value for key, value in template["Resources"][name]["Properties"].items() if key not in own}
        for name in ("FirewallRules", "EdgeFirewallRules")
    )

    assert api == edge


def test_12_elsewhere_the_firewall_is_refused_with_a_sentence(template: Mapping[str, Any]) -> None:
    [sentence] = refusals(template, FIREWALL)

    assert "us-east-1 only" in sentence
    assert "EdgeFirewallArn" in sentence


def test_13_it_is_refused_without_what_bounds_a_flood(template: Mapping[str, Any], edge: Resources) -> None:
    [sentence] = refusals(template, {"Edge": "true"})

    assert "RedirectConcurrency" in sentence
    assert [] == refusals(template, ON)
    assert [] == refusals(template, {})
    assert {"Ref": "RedirectConcurrency"} == edge["FollowLink"]["Properties"]["ReservedConcurrentExecutions"]


DOMAIN = {
    "DomainName": "go.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:1:certificate/1",
    "RegionalCertificateArn": "arn:aws:acm:eu-central-1:1:certificate/2",
}


@pytest.mark.parametrize(
    ("given", "of_the_api"),
    [
        ({}, ["EDGE"]),
        ({"ApiDomain": "both"}, ["EDGE", "REGIONAL"]),
        ({"ApiDomain": "regional"}, ["REGIONAL"]),
        ({"ApiDomain": "regional", **ON}, ["REGIONAL"]),
        (ON, None),
    ],
    ids=["before", "1", "2", "3", "4"],
)
def test_14_a_domain_goes_to_the_distribution_in_steps_of_which_each_answers(
    template: Mapping[str, Any], given: dict[str, str], of_the_api: list[str] | None
) -> None:
    """docs/deploying.md has them. One name never has two distributions: an edge-optimised domain has one too."""
    found = made(template, **DOMAIN, **given)

    types = found["Domain"]["Properties"]["EndpointConfiguration"]["Types"] if "Domain" in found else None
    aliases = found["Distribution"]["Properties"]["DistributionConfig"]["Aliases"] if "Edge" in given else None
    assert [] == refusals(template, {**DOMAIN, **given})
    assert of_the_api == types
    assert ([{"Ref": "DomainName"}] if "Edge" in given else None) == aliases
    assert ("Domain" in found) == ("DomainMapping" in found)


def test_14_a_regional_domain_is_refused_without_its_certificate(template: Mapping[str, Any]) -> None:
    [sentence] = refusals(template, {**DOMAIN, "ApiDomain": "both", "RegionalCertificateArn": ""})

    assert "RegionalCertificateArn" in sentence


def test_a_domain_at_the_edge_has_its_certificate_and_speaks_nothing_older_than_tls_1_2(
    template: Mapping[str, Any],
) -> None:
    found = made(template, **DOMAIN, **ON)["Distribution"]["Properties"]["DistributionConfig"]

    assert {
        "AcmCertificateArn": {"Ref": "CertificateArn"},
        "SslSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    } == found["ViewerCertificate"]


def test_visitors_have_ipv6_and_http_3(distribution: Mapping[str, Any]) -> None:
    assert (True, "http2and3") == (distribution["IPV6Enabled"], distribution["HttpVersion"])


def test_nobody_s_address_is_logged_by_cloudfront(distribution: Mapping[str, Any]) -> None:
    assert "Logging" not in distribution
    assert not [each for each in distribution["CacheBehaviors"] if "RealtimeLogConfigArn" in each]


def test_names_tell_stages_and_regions_apart_since_those_of_cloudfront_are_an_accounts(edge: Resources) -> None:
    named = [
        each["Properties"][config]["Name"]
        for each in edge.values()
        for config in ("OriginAccessControlConfig", "OriginRequestPolicyConfig", "CachePolicyConfig")
        if config in each.get("Properties", {})
    ]

    assert 3 == len({json.dumps(name) for name in named})
    for name in named:
        assert name["Fn::Sub"].startswith("linkly-dev-${AWS::Region}")
