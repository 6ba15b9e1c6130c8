"""PATCH (RFC 7396) against PUT: a merge patch makes of a link what PUT makes of it with the patch merged in."""

import itertools
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.links.store import insert_link
from tests.builders import a_link
from tests.functional.visitor import Answer, Visitor

MOMENTS = ("2026-06-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z", "2026-08-01T12:00:00.123Z")
URLS = ("https://example.com/a", "https://example.org/b?c=d")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "url": st.sampled_from(URLS),
    "title": st.none() | st.sampled_from(["Spring", "Summer, sale"]),
    "tags": st.none() | st.lists(st.sampled_from(["a", "b", "c"]), unique=True, max_size=3),
    "enabled": st.none() | st.booleans(),
    "starts_at": st.none() | st.sampled_from(MOMENTS),
    "expires_at": st.none() | st.sampled_from(MOMENTS),
    "expired_url": st.none() | st.sampled_from(URLS),
    "forward_query": st.none() | st.booleans(),
    "max_clicks": st.none() | st.integers(1, 10),
}
patches = st.fixed_dictionaries({}, optional={**VALUES, "url": VALUES["url"] | st.none()})
JSON, PATCH = ({"Content-Type": f"application/{kind}"} for kind in ("json", "merge-patch+json"))
numbers = itertools.count()
SET_BY_US = {"version", "updated_at", "changed_by"}


def sent(ada: Visitor, method: str, code: str, body: Any, kind: dict[str, str]) -> Answer:
    return ada.send(method, f"/links/{code}", json.dumps(body).encode(), kind)


def content(answer: Answer) -> tuple[int, Any]:
    """What a link has become, whichever of the two it is; or why not."""
    told = {name: value for name, value in answer.body.items() if name not in {*SET_BY_US, "code", "short_url"}}
    return answer.status, told


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(patches, min_size=1, max_size=4))
def test_a_patch_makes_of_a_link_what_put_makes_of_it_with_the_patch_merged_in(
    ada: Visitor, changes: list[dict[str, Any]]
) -> None:
    number = next(numbers)
    patched_link, put_link = f"patched-{number}", f"put-{number}"
    for code in (patched_link, put_link):
        insert_link(a_link(code=code, owner="ada"))
    for change in changes:
        merged = {**ada.get(f"/links/{put_link}").body, **change}

        patched = sent(ada, "PATCH", patched_link, change, PATCH)
        put = sent(ada, "PUT", put_link, {name: value for name, value in merged.items() if value is not None}, JSON)

        if patched.status != 200:
            assert 400 == patched.status == put.status
        else:
            assert content(put) == content(patched)
