"""Links go out to a file and come in from it, and whatever comes in is announced."""

import json
import uuid
from pathlib import Path

from chalicelib.redirects.cache import find_redirect
from tests.deployed import Linkly, eventually, ops


def test_links_go_out_to_a_file_and_come_in_again_with_new_ones(linkly: Linkly, tmp_path: Path) -> None:
    code, created, deleted = linkly.create(), f"new-{uuid.uuid4()}", f"gone-{uuid.uuid4()}"
    file = tmp_path / "links.jsonl"

    exported = ops("links", "export", str(file), "--owner", "alice", "--stage", "local")
    links = {line["code"]: line for line in map(json.loads, file.read_text().splitlines())}
    lines = [
        links[code],
        {**links[code], "code": created, "version": 3},
        {**links[code], "code": deleted, "version": 4, "status": "deleted"},
        {**links[code], "owner": "bob"},
        {"code": "nothing"},
    ]
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    imported = ops("links", "import", str(file), "--stage", "local")
    # Nobody has followed it before it was deleted here: what is cached was announced.
    eventually(lambda: (found := find_redirect(deleted)) is not None and found.version == 4)
    answers = [linkly.visitor.get(f"/{each}").status_code for each in (created, deleted)]

    assert (0, ["links.jsonl"]) == (exported.returncode, [each.name for each in tmp_path.iterdir()])
    assert (1, "2 created, 1 unchanged, 1 conflicting, 1 invalid\n") == (imported.returncode, imported.stdout)
    assert [
        f"line 4: There is another link '{code}'. It stays as it is.",
        "line 5: Object missing required field `url`",
    ] == imported.stderr.splitlines()
    assert [302, 410] == answers
    assert (3, links[code]["created_at"]) == (
        linkly.alice.get(f"/links/{created}").json()["version"],
        linkly.alice.get(f"/links/{created}").json()["created_at"],
    )
