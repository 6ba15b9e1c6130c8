"""Links that change, and everybody who hears of it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from chalicelib import aws, config
from chalicelib.links.store import update_link
from tests.deployed import Linkly, eventually, forbidden, key_holder, logged, ops, waiting

OLD, NEW = "https://example.com/target", "https://example.org/new"


def items(table: str, code: str) -> int:
    """How many items a table has for a code."""
    return aws.dynamodb().query(
        TableName=table,
        KeyConditionExpression="code = :code",
        ExpressionAttributeValues={":code": {"S": code}},
        Select="COUNT",
    )["Count"]


def links_today(linkly: Linkly) -> int:
    by_day = linkly.admin.get("/analytics/links?days=1").json()["by_day"]
    return int(by_day[0]["links"]) if by_day else 0


def test_five_new_links_are_five_in_the_analytics(linkly: Linkly) -> None:
    eventually(lambda: queue_is_quiet(linkly))
    before = links_today(linkly)

    for _ in range(5):
        linkly.create()

    eventually(lambda: links_today(linkly) >= before + 5)
    assert before + 5 == links_today(linkly)


def queue_is_quiet(linkly: Linkly) -> bool:
    """Whether the number of new links has stopped growing after what other tests created."""
    before = links_today(linkly)
    time.sleep(10)
    return before == links_today(linkly)


def test_within_ten_seconds_every_redirect_gives_the_new_target_and_never_the_old_one_again(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.alice.put(f"/links/{code}", json={"url": OLD})  # a first change, so that no cold start is measured
    eventually(lambda: cached_url(code) == OLD)
    linkly.follow(code, times=3)
    seen: list[tuple[float, str]] = []
    stop = threading.Event()

    def ask_again_and_again() -> None:
        with httpx.Client(base_url=linkly.visitor.base_url, timeout=30) as visitor:
            while not stop.is_set():
                asked = time.monotonic()
                location = visitor.get(f"/{code}").headers["location"]
                seen.append((asked, location))
                stop.wait(0.2)

    with ThreadPoolExecutor(3) as clients:
        asking = [clients.submit(ask_again_and_again) for _ in range(3)]
        changed = linkly.alice.put(f"/links/{code}", json={"url": NEW}, headers={"If-Match": '"2"'})
        done = time.monotonic()
        stop.wait(14)
        stop.set()
        for each in asking:
            each.result()

    assert (200, '"3"', NEW) == (changed.status_code, changed.headers["etag"], changed.json()["url"])
    assert {NEW} == {location for asked, location in seen if asked > done + 10}
    assert {OLD, NEW} >= {location for _, location in seen}


def test_a_deleted_link_is_gone_for_good_and_then_so_are_its_clicks(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.follow(code, times=3)
    eventually(lambda: linkly.total(code) == 3)

    deleted = linkly.alice.delete(f"/links/{code}")
    deleted_again = linkly.alice.delete(f"/links/{code}")

    assert (204, 404) == (deleted.status_code, deleted_again.status_code)
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 410)
    assert 410 == linkly.alice.get(f"/links/{code}").status_code
    assert 410 == linkly.alice.put(f"/links/{code}", json={"url": NEW}).status_code
    assert 410 == linkly.alice.get(f"/stats/{code}").status_code
    assert 409 == linkly.bob.post("/links", json={"url": NEW, "code": code}).status_code
    eventually(lambda: items(config.clicks_table(), code) == 0)
    eventually(lambda: items(config.daily_clicks_table(), code) == 0)


def test_of_two_writers_with_the_same_etag_one_wins_and_the_cache_ends_at_its_target(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.follow(code)
    targets = [f"https://example.org/{number}" for number in range(2)]

    def write(target: str) -> httpx.Response:
        return linkly.alice.put(f"/links/{code}", json={"url": target}, headers={"If-Match": '"1"'})

    with ThreadPoolExecutor(2) as writers:
        answers = list(writers.map(write, targets))

    assert [200, 412] == sorted(answer.status_code for answer in answers)
    [winner] = [answer.json()["url"] for answer in answers if answer.status_code == 200]
    eventually(lambda: cached_url(code) == winner)


def cached_url(code: str) -> str | None:
    answer = aws.dynamodb().get_item(TableName=config.redirects_table(), Key={"code": {"S": code}}, ConsistentRead=True)
    return answer["Item"]["url"]["S"] if "Item" in answer else None


def test_two_requests_with_one_idempotency_key_make_one_link(linkly: Linkly) -> None:
    for number in range(5):
        key = {"Idempotency-Key": f"{time.time()}-{number}"}

        def post(_: int, key: dict[str, str] = key) -> httpx.Response:
            return linkly.bob.post("/links", json={"url": OLD}, headers=key)

        with ThreadPoolExecutor(2) as both:
            answers = [answer for answer in both.map(post, range(2)) if answer.status_code != 409]
        answers.append(post(0))

        assert {201} == {answer.status_code for answer in answers}
        assert 1 == len({answer.json()["code"] for answer in answers})


def test_a_key_that_was_used_for_another_body_is_refused(linkly: Linkly) -> None:
    key = {"Idempotency-Key": f"once {time.time()}"}

    first = linkly.alice.post("/links", json={"url": OLD}, headers=key)
    other = linkly.alice.post("/links", json={"url": NEW}, headers=key)
    somebody_else = linkly.bob.post("/links", json={"url": NEW}, headers=key)

    assert (201, 422, 201) == (first.status_code, other.status_code, somebody_else.status_code)


def test_somebodys_links_are_listed_newest_first_page_by_page(linkly: Linkly) -> None:
    owner = f"lister-{time.time()}"
    with key_holder(linkly.url, owner) as lister:
        codes = [linkly.create(lister) for _ in range(5)]
        lister.delete(f"/links/{codes[2]}")

        first = lister.get("/links", params={"limit": 3}).json()
        second = linkly.admin.get("/links", params={"owner": owner, "limit": 3, "cursor": first["next"]}).json()

    assert [codes[4], codes[3], codes[1]] == [link["code"] for link in first["items"]]
    assert ([codes[0]], None) == ([link["code"] for link in second["items"]], second["next"])
    assert 403 == linkly.bob.get("/links", params={"owner": owner}).status_code


def test_a_change_that_cannot_be_cached_waits_in_the_dead_letter_queue_and_heals_when_sent_back(
    linkly: Linkly,
) -> None:
    code = linkly.create()
    linkly.follow(code)
    dead_letters = f"{config.link_changes_queue_url()}-dlq"
    eventually(lambda: waiting(config.link_changes_queue_url()) == 0)  # what other tests changed has arrived

    since = time.time()
    with forbidden("refresh_redirects", "dynamodb:PutItem"):
        linkly.alice.put(f"/links/{code}", json={"url": NEW})
        eventually(lambda: waiting(dead_letters) == 1, within=90)
        assert 5 == logged("refresh_redirects", since, '"message":"messages failed"')
        assert OLD == cached_url(code)
    redriven = ops("dlq", "redrive", "link-changes", "--stage", "local")

    assert (0, "1 messages sent back to link-changes\n") == (redriven.returncode, redriven.stdout)
    eventually(lambda: cached_url(code) == NEW)
    assert 0 == waiting(dead_letters)


def test_a_change_is_announced_even_if_everything_crashes_right_after_it_was_written(linkly: Linkly) -> None:
    code = linkly.create()
    linkly.follow(code)

    update_link(code, {"url": NEW}, owner=None, version=None)  # and nothing else happens in this process

    eventually(lambda: cached_url(code) == NEW)
