"""A domain is blocked by command, and its links with it; and allowed again."""

import time

from tests.deployed import Linkly, eventually, ops


def test_links_into_a_blocked_domain_answer_410_until_it_is_allowed_again(linkly: Linkly) -> None:
    domain = f"evil-{time.time_ns()}.example"
    url = f"https://www.{domain}/page"
    code = linkly.alice.post("/links", json={"url": url}).json()["code"]
    linkly.follow(code)

    added = ops("blocklist", "add", domain.upper(), "--reason", "phishing", "--stage", "local")
    refused = linkly.alice.post("/links", json={"url": url})
    # Twelve seconds later no process remembers the target from before.
    blocked = [linkly.visitor.get(f"/{code}").status_code, linkly.visitor.head(f"/{code}").status_code]
    listed = ops("blocklist", "list", "--stage", "local").stdout
    removed = ops("blocklist", "remove", domain, "--stage", "local")

    assert (0, f"{domain} is blocked: 1 links answer 410\n") == (added.returncode, added.stdout), added.stderr
    assert (400, "urn:linkly:problem:blocked-target") == (refused.status_code, refused.json()["type"])
    assert [410, 410] == blocked
    assert (domain in listed, "phishing" in listed) == (True, True)
    assert f"{domain} is not blocked: 1 links redirect again\n" == removed.stdout
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 302, within=10)
    assert 1 <= linkly.total(code) <= 2
