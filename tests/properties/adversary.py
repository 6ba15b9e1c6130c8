"""Clicks on some links, consumers that count them, and an adversary who does to both what AWS and networks may do.

Everything that is left to chance comes from one function, `choose`, so a run is what its choices are.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import log
from chalicelib.clicks import admission, breakdowns, counters, purge, queue, recorder
from chalicelib.links.events import deletion_of, encode
from chalicelib.links.status import Status
from chalicelib.observability import logger
from ops.repairing import days
from ops.repairing.recount import CannotRecount, recount_days
from tests import infrastructure
from tests.builders import FIREFOX, GOOGLEBOT, NOW, StoppedClock, a_click, a_click_message, a_link, a_message
from tests.faults import Fault, cancelled, refused, reset, timed_out, unavailable
from tests.properties import tally
from tests.properties.invocations import Call, Environment, Handler, Invocation
from tests.properties.queues import Message, Queues
from tests.properties.tables import Pending, Tables

if TYPE_CHECKING:
    from chalicelib.clicks.click import Click

T = TypeVar("T")

LINKS_TABLE, CLICKS_TABLE, DAILY_CLICKS_TABLE = (
    infrastructure.environment()[name] for name in ("LINKS_TABLE", "CLICKS_TABLE", "DAILY_CLICKS_TABLE")
)
CLICK_QUEUE_URL, DELETED_LINKS_QUEUE_URL = (
    infrastructure.environment()[name] for name in ("CLICK_QUEUE_URL", "DELETED_LINKS_QUEUE_URL")
)

_FUNCTIONS = json.loads((infrastructure.ROOT / ".chalice" / "config.json").read_text())["lambda_functions"]
RECORDER_SECONDS, PURGE_SECONDS = (
    int(_FUNCTIONS[name]["lambda_timeout"]) for name in ("record_clicks", "purge_clicks")
)
"""Their time-outs."""

RECOUNT_SECONDS = 24 * 60 * 60
"""A recount has no time-out: it may be at work while its link is deleted and purged."""

PURGE_DELAY = timedelta(seconds=infrastructure.template()["Parameters"]["PurgeDelaySeconds"]["Default"])

READS_LAG = timedelta(seconds=30)
"""By how much an eventually consistent read may be behind; AWS says a second or less."""

MOST_INVOCATIONS = 4
MOST_DAYS = 3
"""How far the adversary may turn the clock: the click queue keeps a message for four days."""


LINKS = ("hot", "hot", "hot", "warm", "gone", "unknown")
"""The last one is not in the table of links."""
DELETABLE = ("gone", "warm")
BURSTS = (1, 1, 2, 3, 5, 8, 13, 120)
"""Clicks at once; 120 on one link are more than one transaction holds."""

NEVER_HEARD = (
    timed_out(),
    reset(),
    unavailable(),
    refused("ThrottlingException"),
    refused("ProvisionedThroughputExceededException"),
    refused("RequestLimitExceeded"),
    refused("ServiceUnavailable", status=503),
    refused("AccessDeniedException"),
    refused("AccessDeniedException"),
)
"""Errors of a call that has done nothing."""

ANSWER_LOST = (timed_out(), reset(), unavailable(), refused("ServiceUnavailable", status=503))
"""Errors of a call that was carried out."""

NOT_YET = (timed_out(), reset(), refused("TransactionInProgressException"), unavailable())
"""Errors of a transaction that is still going on. botocore's own second attempt is what is told InProgress."""

BUSY = ("TransactionConflict", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")


class NotExact(AssertionError):
    """A promise is broken."""


class Run:
    """The world in one run of the adversary."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self._choose = choose
        self.clock = StoppedClock()
        # A minute and a half before midnight, so that a little waiting is enough to change the day.
        self.clock.time = self._began = NOW.replace(hour=23, minute=58, second=30)
        self.tables = Tables()
        for code in {*LINKS} - {"unknown"}:
            self._put_link(code, Status.ACTIVE, 1)
        self.deleted: dict[str, datetime] = {}
        """When each deleted link was deleted. Its visitors are redirected all the same: nobody tells the cache."""
        self.deletions: list[tuple[datetime, str]] = []
        """The messages of deleted links, and from when on they are delivered."""
        self.queues = Queues(self.clock.now)
        self.accepted: list[Click] = []
        self._clicked: set[tuple[str, str]] = set()
        """The links of accepted clicks, and their days."""
        self.invocations: list[Invocation] = []
        self.orphans: list[Pending] = []
        """Transactions that DynamoDB is still at, and nobody waits for any more."""
        self.log = StringIO()
        self.trace: list[str] = []
        self._unqueued: list[str] = []
        self._send = "sent"
        self._running: Invocation | None = None
        self._counted: Counter[tuple[str, str]] = Counter()
        """Clicks ever, by link and day."""
        self._environments: list[Environment] = []
        self._terminal = Environment(number=-1, shard=-1)
        """Where an operator types, one command at a time."""
        self.tables.refused = self._pick((None, None, None, "hot", "warm"))
        self._announced_again = False
        tally.done["runs"] += 1

    # From the first click to the last look

    def go(self) -> None:
        """Let the adversary do its worst, let everything settle, and look. Raises NotExact."""
        with self._world():
            try:
                self._accept()
                for _ in range(50 + self._choose(100)):
                    self._pick(self._moves())()
                self._settle()
                self._look()
                self._recount_all()
                self._look()
            finally:
                for invocation in self.invocations:
                    if not invocation.done:
                        self._as(invocation, invocation.crash)

    def _moves(self) -> Sequence[Callable[[], None]]:
        # What can be done now; what moves things on comes more often.
        moves = [self._accept, self._turn_the_clock]
        if self.queues.waiting and len(self.invocations) < MOST_INVOCATIONS:
            moves += [self._deliver] * 3
        if self.queues.visible():
            moves += [self._bad_hour]
        if self.invocations:
            moves += [self._step] * 20
        if self.orphans:
            moves += [self._end_orphan]
        if self.queues.dead:
            moves += [self._redrive]
        if self.queues.deleted:
            moves += [self._revive]
        if self._unqueued:
            moves += [self._replay]
        return [*moves, *self._moves_of_deletions()]

    def _moves_of_deletions(self) -> Iterator[Callable[[], None]]:
        if self._deletable():
            yield self._delete_link
        if self.deleted and not self._announced_again:
            yield self._announce_again
        if self._due() and len(self.invocations) < MOST_INVOCATIONS:
            yield from [self._purge] * 3
        if self._days() and not self._recounting:
            yield from [self._recount] * 2

    def _settle(self) -> None:
        """No more faults: finish what is going on, send back what failed, and count what waits."""
        for orphan in self.orphans:
            self._commit(orphan)
        self.orphans.clear()
        self._say("settles")
        while self.invocations:
            self._step_calmly(self.invocations[0])
        for _ in range(40):
            self._replay()
            self._redrive()
            times = [*(each.visible_at for each in self.queues.waiting), *(due for due, _ in self.deletions)]
            if not times:
                return
            self._let_pass((max(times) - self.clock.time).total_seconds())
            for deletion in self._due():
                self._hand_over_deletion(deletion)
            self._hand_over(self.queues.visible())
            while self.invocations:
                self._step_calmly(self.invocations[0])
        raise NotExact(f"{len(self.queues.waiting)} clicks and {len(self.deletions)} deletions never leave the queue.")

    def _look(self) -> None:
        """Compare what is counted with what was accepted. The counters are read as the statistics read them."""
        living = [click for click in self.accepted if click.code not in self.deleted]
        expected = Counter((click.code, click.day) for click in living)
        counted = Counter(
            {
                (code, day): clicks
                for code in sorted({*LINKS} - self.deleted.keys())
                for day, clicks in counters.clicks_by_day(code).items()
            }
        )
        rows = Counter((row["code"]["S"], row["click_id"]["S"]) for row in self._rows())
        if counted != expected:
            raise NotExact(f"Accepted {dict(expected)}, but counted {dict(counted)}.")
        if rows != Counter(click.key for click in living):
            raise NotExact("The rows are not those of the accepted clicks of living links.")
        self._compare_visitors(living)
        if left := {item["code"]["S"] for item in self.tables.items(DAILY_CLICKS_TABLE)} & self.deleted.keys():
            raise NotExact(f"There are counters of deleted links: {sorted(left)}.")
        purged: Counter[str] = Counter()
        for (code, day), clicks in self._counted.items():
            purged[day] += clicks * (code in self.deleted)
        if counters.clicks_by_day(counters.DELETED_LINKS) != purged:
            raise NotExact("The sum of deleted links is not what was counted of them.")
        if self.queues.waiting or self.queues.dead:
            raise NotExact("A queue is not empty.")

    def _check_counters(self, written: Pending) -> None:
        """Each counter adds up for itself, and is within its bounds, at every moment."""
        for item in self.tables.items_of(written, DAILY_CLICKS_TABLE):
            if item["code"]["S"] == counters.DELETED_LINKS:
                continue
            if why := breakdowns.numbers([item]).why_wrong():
                raise NotExact(
                    f"The counter {item['code']['S']} {item[counters.SORT_KEY]['S']} does not add up: {why}."
                )
            if (size := admission.size_of(admission.known_from(item).names)) > admission.MOST_BYTES:
                raise NotExact(f"A counter has {size} bytes of open names.")

    def _compare_visitors(self, living: list["Click"]) -> None:
        """The counters say who came, but for the names for which they have no room."""
        for code in sorted({*LINKS} - self.deleted.keys() - {self.tables.refused}):
            told = breakdowns.numbers(counters.counters_of(code)).amounts
            came = Counter(name for click in living if click.code == code for name in breakdowns.attributes_of(click))
            names = [name for name in {*came, *told} if name[0] not in "ru"]
            if any(told[name] != came[name] for name in names):
                raise NotExact(f"Of {code} is told {told}, but its visitors were {came}.")

    # What the adversary can do

    def _accept(self) -> None:
        code, number = self._pick((*LINKS, *self.deleted, *self.deleted)), self._pick(BURSTS)
        for nth in range(number):
            # Ids are not drawn at random, or a run would not replay to the letter.
            identity = uuid.UUID(int=len(self.accepted), version=4)
            click = a_click(id=identity, code=code, occurred_at=self.clock.now(), **self._visitor())
            self.accepted.append(click)
            self._send = self._pick(("sent",) * 6 + ("refused", "lost")) if nth == 0 else "sent"
            queue.enqueue(a_click_message(click))
            if self._send != "sent":
                self._unqueued.append(json.loads(self.log.getvalue().splitlines()[-1])["unqueued_click"])
        self._clicked.add((code, click.day))
        tally.done["clicks"] += number
        self._say(f"{number} clicks on {code}, the first of them {self._send}")

    def _visitor(self) -> dict[str, Any]:
        """Somebody who visits: of two well-known hosts, a few others or one that is made up, which fill an item."""
        hosts = ("google.com", "google.com", "news.example.com", f"{self._choose(10**6):06}.{'junk' * 10}.example.com")
        host = self._pick((None, *hosts))
        return {
            "referrer": host and f"https://{host}/",
            "user_agent": self._pick((None, FIREFOX, GOOGLEBOT)),
            "country": self._pick((None, "DE", "FR")),
            "utm_source": self._pick((None, None, "newsletter")),
        }

    def _turn_the_clock(self) -> None:
        seconds = self._pick((1, 20, 20, 400, 400, 3600, 86400))
        if self.clock.time + timedelta(seconds=seconds) < self._began + timedelta(days=MOST_DAYS):
            self._let_pass(seconds)
            self._fault("the clock turned")
            self._say(f"it is {self.clock.time:%d %H:%M:%S}")

    def _deliver(self) -> None:
        visible, hidden = self.queues.visible(), self.queues.hidden()
        # Whichever of those that wait, in whatever order.
        first, step = self._choose(max(1, len(visible))), self._pick((1, 1, -1, 2))
        chosen = (visible[first:] + visible[:first])[::step][: self._pick((500, 500, 10, 2, 1))]
        if hidden and self._choose(3) == 0:
            copies = hidden[self._choose(len(hidden)) :][: self._pick((1, 3, 500))]
            chosen += copies
            self._fault("messages delivered again while hidden", len(copies))
        self._hand_over(chosen)

    def _bad_hour(self) -> None:
        """Whoever gets some of the messages dies of it, until the messages are dead letters."""
        visible = self.queues.visible()
        for message in visible[self._choose(len(visible)) :][: self._pick((1, 5, 500))]:
            while self.queues.take(message):
                self._fault("deliveries to consumers that died at once")
        self._say(f"{len(self.queues.dead)} dead letters after a bad hour")

    def _step(self) -> None:
        invocation = self._pick(self.invocations)
        if self.clock.time >= invocation.deadline:
            self._crash(invocation, "out of its time")
        elif invocation.pending:
            self._end_transaction(invocation, invocation.pending)
        else:
            self._answer(invocation)
        self._collect(invocation)

    def _end_orphan(self) -> None:
        orphan = self.orphans.pop(self._choose(len(self.orphans)))
        if self._choose(3):
            self._commit(orphan)
            self._fault("transactions committed after everybody had given up")
        else:
            self.tables.abandon(orphan)
            self._fault("transactions given up by everybody")
        self._say("a transaction that nobody waits for ends")

    def _deletable(self) -> list[str]:
        """The links that can be deleted now. Of one that a transaction asks, DynamoDB would refuse it for a moment."""
        return [code for code in DELETABLE if code not in self.deleted and not self.tables.is_locked(LINKS_TABLE, code)]

    def _delete_link(self) -> None:
        code = self._pick(self._deletable())
        self._put_link(code, Status.DELETED, 2)
        self.deleted[code] = self.clock.time
        self._announce(code)
        tally.done["links deleted"] += 1
        self._say(f"{code} is deleted")

    def _announce(self, code: str) -> None:
        link = a_link(code=code, status=Status.DELETED, version=2)
        self.deletions.append((self.clock.time + PURGE_DELAY, encode(deletion_of(link))))

    def _announce_again(self) -> None:
        """A stream that is read again, or a dead letter that is sent back."""
        code = self._pick(sorted(self.deleted))
        self._announce(code)
        self._announced_again = True  # once is enough: too many purges would hide what one has left behind
        self._fault("deletions announced again")
        self._say(f"the deletion of {code} is announced again")

    def _put_link(self, code: str, status: Status, version: int) -> None:
        item = {"code": {"S": code}, "status": {"S": status.value}, "version": {"N": str(version)}}
        self.tables.put_item(TableName=LINKS_TABLE, Item=item)

    def _due(self) -> list[tuple[datetime, str]]:
        return [each for each in self.deletions if each[0] <= self.clock.time]

    def _purge(self) -> None:
        deletion = self._pick(self._due())
        for _ in range(self._pick((1, 2))):  # SQS may deliver a message to two at once
            self._hand_over_deletion(deletion)

    @property
    def _recounting(self) -> bool:
        return any(each.environment is self._terminal for each in self.invocations)

    def _days(self) -> list[tuple[str, str]]:
        """The links and days that can be recounted. Today is one of them here, since most clicks come then."""
        return sorted(each for each in self._clicked if each[0] != "unknown")

    def _recount(self) -> None:
        self._start_recount(*self._pick(self._days()))
        tally.done["recounts"] += 1

    def _start_recount(self, code: str, day: str) -> None:
        def recount(*_: Any) -> dict[str, Any]:
            with suppress(CannotRecount, BotoCoreError, ClientError):
                for each in recount_days(code, [day], watch=self._take_time):
                    tally.done["days recounted"] += 1
                    self._say(f"{code} is recounted: {each.after.clicks} clicks on {each.day}")
            return {"batchItemFailures": []}

        self._start(recount, RECOUNT_SECONDS, [], self._terminal)

    def _take_time(self, rows: int = 0) -> None:  # noqa: ARG002 (which are what a recount is asked to tell)
        """An operator's machine is slow: much may happen between two of its calls."""
        for _ in range(3):
            self.call("sleep", seconds=1)

    def _replace_slowly(self, *given: Any) -> str | None:
        self._take_time()
        return days.replace_day(*given)

    def _recount_all(self) -> None:
        """Nobody is at work any more: every day can be recounted, and says of visitors what it said before."""
        for code, day in self._days():
            self._start_recount(code, day)
            while self.invocations:
                self._step_calmly(self.invocations[0])

    def _redrive(self) -> None:
        if number := self.queues.redrive():
            tally.done["redriven"] += number
            self._say(f"{number} dead letters sent back")

    def _revive(self) -> None:
        self.queues.revive(self.queues.deleted[self._choose(len(self.queues.deleted))])
        self._fault("deleted messages delivered again")
        self._say("a deleted message is back")

    def _replay(self) -> None:
        """Send again what the redirect logged because SQS seemed not to have accepted it."""
        for body in self._unqueued:
            self.queues.send_message(QueueUrl=CLICK_QUEUE_URL, MessageBody=body)
            tally.done["clicks sent again from the log"] += 1
            self._say("a click is sent from the log")
        self._unqueued.clear()

    # What becomes of an invocation's call

    def _answer(self, invocation: Invocation) -> None:
        call = invocation.waiting
        assert call
        fate = self._pick(("fine",) * 12 + ("never heard",) * 2 + ("done, answer lost", "crash") + ("busy",) * 3)
        if fate == "crash":
            self._crash(invocation, f"before {call.operation}")
        elif call.operation == "sleep":
            self._carry_out_and_answer(invocation)
        elif call.operation == "batch_get_item" and fate == "busy":
            self._leave_unread(invocation, call.params["RequestItems"])
        elif fate == "never heard":
            self._break(invocation, self._pick(NEVER_HEARD), "calls that were never heard")
        elif call.operation == "transact_write_items":
            if fate == "busy":
                self._cancel(invocation, self.tables.reasons(call.params["TransactItems"]))
            else:
                self._begin(invocation)
        elif fate == "done, answer lost":
            self._carry_out(call)
            self._break(invocation, self._pick(ANSWER_LOST), "answers lost")
        else:
            self._carry_out_and_answer(invocation)

    def _leave_unread(self, invocation: Invocation, wanted: dict[str, Any]) -> None:
        [[table, request]] = wanted.items()
        first = self._choose(len(request["Keys"]))
        left = {table: {**request, "Keys": request["Keys"][first:]}}
        read = request["Keys"][:first]
        answer: dict[str, Any] = {"Responses": {table: []}}
        if read:
            answer = self._read({table: {**request, "Keys": read}})
        self._fault("keys left unread", len(request["Keys"]) - first)
        self._resume(invocation, lambda: {**answer, "UnprocessedKeys": left})

    def _begin(self, invocation: Invocation, *, calmly: bool = False) -> None:
        call = invocation.waiting
        assert call
        actions = call.params["TransactItems"]
        reasons = self.tables.reasons(actions)
        if set(reasons) != {"None"}:
            if "TransactionConflict" in reasons:
                tally.done["conflicts that arose by themselves"] += 1
            items = self.tables.items_met(actions, reasons)
            if items:
                tally.done["names that found no room or were not there"] += len(items)
            # DynamoDB does not promise to name every reason, nor to hand over an item.
            if not calmly and self._choose(3) == 0:
                told = self._pick([number for number, reason in enumerate(reasons) if reason != "None"])
                reasons = [reason if number == told else "None" for number, reason in enumerate(reasons)]
                self._fault("reasons kept back")
            if not calmly and items and self._choose(3) == 0:
                items = {}
                self._fault("items kept back")
            self._resume(invocation, _raises(cancelled(*reasons, items=items)))
        else:
            invocation.pending = self.tables.begin(actions)
            self._say(f"{invocation.name}: a transaction of {len(actions)} begins")

    def _end_transaction(self, invocation: Invocation, pending: Pending) -> None:
        fates = ("fine",) * 6 + ("lost",) * 3 + ("given up",) * 3 + ("crash before", "crash after", "conflict")
        fate = self._pick(fates)
        invocation.pending = None
        if fate in ("fine", "lost", "crash after"):
            self._commit(pending)
        if fate in ("given up", "crash before"):
            self.orphans.append(pending)
        if fate == "fine":
            self._resume(invocation, dict)
        elif fate == "lost":
            self._break(invocation, self._pick(ANSWER_LOST), "answers lost")
        elif fate == "given up":
            self._break(invocation, self._pick(NOT_YET), "transactions still going on when the call failed")
        elif fate == "conflict":
            self.tables.abandon(pending)
            self._cancel(invocation, ["None"] * len(pending.actions))
        else:
            self._crash(invocation, f"in a transaction, {fate.removeprefix('crash ')} its commit")

    def _cancel(self, invocation: Invocation, reasons: list[str]) -> None:
        """Some of the transaction's items are busy, for one reason or another; nothing is written."""
        some = slice(self._choose(len(reasons)), None, self._pick((1, 7, 100)))
        reasons[some] = [self._pick(BUSY)] * len(reasons[some])
        self._fault("transactions cancelled as busy")
        self._say(f"{invocation.name} is told that items are busy")
        self._resume(invocation, _raises(cancelled(*reasons)))

    def _crash(self, invocation: Invocation, where: str) -> None:
        self._fault("crashes")
        if invocation.pending:
            self.orphans.append(invocation.pending)
            invocation.pending = None
        self._say(f"{invocation.name} crashes {where}")
        self._as(invocation, invocation.crash)

    def _break(self, invocation: Invocation, fault: Fault, kind: str) -> None:
        self._fault(kind)
        if str(fault) == str(timed_out()):
            self._let_pass(5)
        self._say(f"{invocation.name} is told: {fault} ({kind})")
        self._resume(invocation, _raises(fault))

    def _carry_out(self, call: Call) -> Any:
        match call.operation, call.params:
            case "sleep", {"seconds": seconds}:
                return self._let_pass(seconds)
            case "batch_get_item", {"RequestItems": wanted}:
                return self._read(wanted)
            case "query", question:
                return self.tables.query(**question)
            case "send_message", {"QueueUrl": url, "MessageBody": body} if url == DELETED_LINKS_QUEUE_URL:
                self.deletions.append((self.clock.time + PURGE_DELAY, body))
                return {}
            case "change_message_visibility_batch", {"QueueUrl": url} if url == DELETED_LINKS_QUEUE_URL:
                return {}  # it is due all the time
            case _:
                return getattr(self.queues, call.operation)(**call.params)

    def _read(self, wanted: dict[str, Any]) -> Any:
        """Read links, as they are or, if that is all that is asked for, as some of them were a moment ago."""
        answer = self.tables.batch_get_item(RequestItems=wanted)
        [[table, request]] = wanted.items()
        for link in [] if request["ConsistentRead"] else answer["Responses"][table]:
            deleted_at = self.deleted.get(link["code"]["S"])
            if deleted_at and self.clock.time < deleted_at + READS_LAG and self._choose(2):
                link["status"] = {"S": Status.ACTIVE.value}
                self._fault("links read as they were before")
        return answer

    def _carry_out_and_answer(self, invocation: Invocation) -> None:
        assert invocation.waiting
        answer = self._carry_out(invocation.waiting)
        self._resume(invocation, lambda: answer)

    def _commit(self, pending: Pending) -> None:
        self.tables.commit(pending)
        tally.done["transactions committed"] += 1
        self._check_counters(pending)
        for action in pending.actions:
            if action.get("Put", {}).get("TableName") == CLICKS_TABLE:
                row = action["Put"]["Item"]
                self._counted[row["code"]["S"], row["occurred_at"]["S"][:10]] += 1

    def _step_calmly(self, invocation: Invocation) -> None:
        call, pending = invocation.waiting, invocation.pending
        assert call
        invocation.pending = None
        if pending:
            self._commit(pending)
            self._resume(invocation, dict)
        elif call.operation == "transact_write_items":
            self._begin(invocation, calmly=True)
        else:
            self._carry_out_and_answer(invocation)
        self._collect(invocation)

    # Lambda's part

    def _hand_over(self, messages: list[Message]) -> None:
        records = [record for message in messages if (record := self.queues.take(message))]
        if not records:
            return
        tally.done["deliveries"] += len(records)
        tally.done["batches"] += 1
        self._start(recorder.record_clicks, RECORDER_SECONDS, records)

    def _hand_over_deletion(self, deletion: tuple[datetime, str]) -> None:
        # Whoever asked before the deletion has been stopped for long, and DynamoDB is no longer at what they began.
        for invocation in [each for each in self.invocations if self.clock.time >= each.deadline]:
            self._crash(invocation, "out of its time")
            self._collect(invocation)
        while self.orphans:
            self._end_orphan()
        tally.done["purges"] += 1
        self._start(purge.purge_clicks, PURGE_SECONDS, [a_message(deletion[1])])

    def _start(
        self, handler: Handler, seconds: int, records: list[dict[str, Any]], environment: Environment | None = None
    ) -> None:
        deadline = self.clock.time + timedelta(seconds=seconds)
        environment = environment or self._pick(self._free())
        invocation = Invocation(environment, handler, records, deadline, self.clock.now)
        self._say(f"{invocation.name} gets {len(records)} messages")
        self.invocations.append(invocation)
        self._as(invocation, invocation.start)
        self._collect(invocation)

    def _free(self) -> list[Environment]:
        """The environments that nobody is at work in, and a new one; so many may be there that two share a shard."""
        if len(self._environments) <= MOST_INVOCATIONS:
            self._environments.append(Environment(len(self._environments), shard=len(self._environments) % 2))
        busy = [invocation.environment for invocation in self.invocations]
        return [each for each in self._environments if not any(each is one for one in busy)]

    @property
    def _environment(self) -> Environment:
        assert self._running
        return self._running.environment

    def _draw_another_shard(self) -> None:
        self._environment.shard = 1 - self._environment.shard

    def _collect(self, invocation: Invocation) -> None:
        """Delete what an invocation that is done did not report."""
        if not invocation.done:
            return
        self.invocations.remove(invocation)
        if invocation.response is None:
            self._say(f"{invocation.name} failed")
            return
        failed = {failure["itemIdentifier"] for failure in invocation.response["batchItemFailures"]}
        self._say(f"{invocation.name} is done; {len(failed)} failed")
        for record in invocation.records:
            if record["messageId"] in failed:
                continue
            if invocation.handler is purge.purge_clicks:
                self._delete_deletion(record)
            else:
                self._delete(record)

    def _delete_deletion(self, record: dict[str, Any]) -> None:
        done = next((each for each in self.deletions if each[1] == record["body"]), None)
        if done:
            self.deletions.remove(done)

    def _delete(self, record: dict[str, Any]) -> None:
        body = json.loads(record["body"])
        if body["code"] not in self.deleted and not self.tables.has(CLICKS_TABLE, body["code"], body["id"]):
            raise NotExact(f"The message of click {body['id']} is deleted, and its click is not counted.")
        self.queues.delete_message(QueueUrl=CLICK_QUEUE_URL, ReceiptHandle=record["receiptHandle"])

    # Plumbing

    @contextmanager
    def _world(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("chalicelib.aws.dynamodb", lambda *_: _Client(self, self.tables))
            patch.setattr("chalicelib.aws.sqs", lambda *_: _Client(self, self.queues))
            patch.setattr("chalicelib.clock.now", self.clock.now)
            patch.setattr("chalicelib.clock.sleep", lambda seconds: self.call("sleep", seconds=seconds))
            for module in (recorder, purge):
                patch.setattr(module, "own_shard", lambda: self._environment.shard)
            patch.setattr("ops.repairing.recount.replace_day", self._replace_slowly)
            patch.setattr(recorder, "draw_another_shard", self._draw_another_shard)
            patch.setattr(admission, "_memory", lambda: self._environment.memory)
            patch.setattr(logger.registered_handler, "stream", self.log)
            patch.setattr(log, "write_line", lambda line: print(line, file=self.log))
            yield

    def call(self, operation: str, **params: Any) -> Any:
        """A call that leaves the app: an invocation's waits for the adversary, the redirect's is answered at once."""
        if self._running:
            return self._running.call(operation, **params)
        if operation == "query":
            return self.tables.query(**params)
        if operation != "send_message":
            raise NotImplementedError(operation)
        if self._send != "refused":
            self.queues.send_message(**params)
        if self._send != "sent":
            self._fault("clicks that SQS seemed to refuse")
            _raises(timed_out())()
        return {}

    def _resume(self, invocation: Invocation, answer: Callable[[], Any]) -> None:
        self._as(invocation, lambda: invocation.resume(answer))

    def _as(self, invocation: Invocation, run: Callable[[], None]) -> None:
        self._running = invocation
        try:
            run()
        finally:
            self._running = None

    def _let_pass(self, seconds: float) -> None:
        self.clock.time += timedelta(seconds=max(0, seconds))
        self.tables.expire(self.clock.time)

    def _pick(self, options: Sequence[T]) -> T:
        return options[self._choose(len(options))]

    def _fault(self, kind: str, number: int = 1) -> None:
        tally.faults[kind] += number

    def _say(self, event: str) -> None:
        self.trace.append(event)

    def _rows(self) -> list[dict[str, Any]]:
        return self.tables.items(CLICKS_TABLE)


class _Client:
    """What the app takes for botocore's client: its calls go to the adversary first."""

    def __init__(self, run: Run, service: Any) -> None:
        self._run = run
        self._service = service

    def __getattr__(self, name: str) -> Any:
        if name == "exceptions":
            return self._service.exceptions
        if name == "get_paginator":
            return lambda operation: SimpleNamespace(paginate=lambda **question: self._pages(operation, question))
        return lambda **params: self._run.call(name, **params)

    def _pages(self, operation: str, question: dict[str, Any]) -> Iterator[Any]:
        yield self._run.call(operation, **question)


def _raises(fault: Fault) -> Callable[[], Any]:
    def answer() -> Any:
        raise fault.error(infrastructure.dynamodb(), "TransactWriteItems")

    return answer
