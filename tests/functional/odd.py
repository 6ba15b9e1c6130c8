"""What nobody should send, and somebody will. The runs are the same every time."""

import json
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# One AWS for all runs of a test: making one takes longer than all of them.
ODD = settings(
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# What breaks out of its place, if anything does: of a header, a log line, JSON, a path, a number, a key of DynamoDB.
NASTY = [
    "",
    " ",
    "\x00",
    "\r\nSet-Cookie: a=b",
    '\n{"level": "ERROR", "message": "forged"}\n',
    '", "message": "forged", "x": "',
    "\u2028\u2029\x85\x0b\x0c\x1c",
    "%0d%0a",
    "%E2%80%A8",
    "%",
    "%s%(message)s{0}${7*7}",
    "../../links",
    "\ufffe\uffff\U0010ffff",
    "0" * 400,
    "ü" * 2100,
    "9" * 40,
    "-1",
    "1e400",
    "null",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "[" * 2000,
]

texts = st.sampled_from(NASTY) | st.text(max_size=20)

values = st.recursive(
    st.none() | st.booleans() | st.sampled_from([-1, 0, 2**63, 10**40, 1.5, float("inf")]) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def spoilt(message: str) -> st.SearchStrategy[str]:
    """A JSON object of which one member is replaced, missing or too much; or something else altogether."""
    members: dict[str, Any] = json.loads(message)
    names = st.sampled_from([*members])
    return (
        st.builds(lambda name, value: json.dumps({**members, name: value}), names | st.just("x"), values)
        | names.map(lambda missing: json.dumps({name: members[name] for name in members if name != missing}))
        | values.map(json.dumps)
        | texts
    )
