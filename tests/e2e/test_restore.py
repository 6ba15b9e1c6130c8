"""Links and clicks that are lost by accident, and come back from restored tables.

The emulation restores a table as it is, whatever the time: so it is restored before the accident.
"""

from datetime import UTC, datetime

import pytest

from chalicelib import config
from chalicelib.clicks.counters import clicks_by_day
from ops.repairing import restore
from tests.deployed import Linkly, eventually, ops, waiting


def test_a_link_and_its_clicks_come_back_and_count_once(linkly: Linkly, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    at = ("--to-time", now.isoformat(), "--stage", "local")
    code = linkly.create()
    linkly.follow(code, times=3)
    eventually(lambda: linkly.total(code) == 3)

    early = ops("restore", "clicks", *at)
    monkeypatch.setattr(restore, "require_restorable", lambda *_: None)  # the emulation offers no time but this second
    restore.tables(now, None, "local")
    linkly.alice.delete(f"/links/{code}").raise_for_status()
    eventually(lambda: not clicks_by_day(code), within=60)  # purged
    links = ops("restore", "links", "--code", code, *at)
    clicks = [ops("restore", "clicks", *at) for _ in range(2)]
    eventually(lambda: linkly.total(code) == 3)
    eventually(lambda: waiting(config.click_queue_url()) == 0)
    again = ops("restore", "clicks", *at)

    assert (1, True) == (early.returncode, "There is no table linkly-local-clicks-restored-" in early.stderr)
    assert f"{code}: put back\n1 put back\n" == links.stdout, links.stderr
    assert [0, 0, 0] == [each.returncode for each in (*clicks, again)], clicks[0].stderr
    assert "3 sent" in clicks[0].stdout
    assert "sent" not in again.stdout
    assert 3 == linkly.total(code)
    eventually(lambda: linkly.visitor.get(f"/{code}").status_code == 302)
