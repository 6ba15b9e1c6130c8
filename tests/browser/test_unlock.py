"""A link with a password, opened by somebody with a browser."""

from tests.browser.conftest import Visit
from tests.builders import FIREFOX
from tests.deployed import Linkly, eventually


def test_a_visitor_gives_the_password_arrives_and_is_counted_with_where_they_came_from(
    linkly: Linkly, visit: Visit
) -> None:
    link = {"url": "https://example.com/report", "password": "open sesame", "forward_query": True}
    code = linkly.alice.post("/links", json=link).json()["code"]
    page = visit("about:blank", user_agent=FIREFOX)
    page.route("https://example.com/**", lambda route: route.fulfill(body="arrived", content_type="text/plain"))

    page.goto(f"{linkly.url}/{code}?utm_source=mail", referer="https://news.example/today")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Open the link").click()
    page.get_by_text("That is not the password.").wait_for()
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Open the link").click()
    page.wait_for_url("https://example.com/report?utm_source=mail")

    def sources() -> dict[str, list[str]]:
        report = linkly.alice.get(f"/stats/{code}", params={"by": "referrer,utm_source"}).json()
        return {dimension: [each["value"] for each in values] for dimension, values in report["by"].items()}

    assert "arrived" == page.inner_text("body")
    eventually(lambda: sources() == {"referrer": ["news.example"], "utm_source": ["mail"]})


def test_a_visitor_who_goes_back_to_the_address_of_the_form_is_led_to_the_link(linkly: Linkly, visit: Visit) -> None:
    link = {"url": "https://example.com/report", "password": "open sesame"}
    code = linkly.alice.post("/links", json=link).json()["code"]

    page = visit(f"{linkly.url}/unlock/{code}?utm_source=mail")

    assert f"{linkly.url}/{code}?utm_source=mail" == page.url
    assert "This link asks for a password" == page.inner_text("h1")
