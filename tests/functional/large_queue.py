"""Two queues of SQS that hold 100,000 messages and more, and a clock that each call moves on.

moto looks at every message of a queue for each call, which makes 10,000 calls last for hours.
"""

import heapq
import threading
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from ops.shared.queues import RECEIVERS


class LargeQueues:
    """Stands in for boto3's client: a queue, and the one whose dead letters it holds."""

    def __init__(self, bodies: Iterable[str], seconds_a_call: float) -> None:
        self.now = 0.0
        self.sent: Counter[str] = Counter()
        """What was sent back: how often, by the body."""
        self.calls: list[str] = []
        self.bodies = {str(uuid.uuid4()): body for body in bodies}
        """What is in the dead-letter queue, by message id."""
        self.refused: set[str] = set()
        """Bodies that are not accepted when they are sent back."""
        self.poison: set[str] = set()
        """Bodies that are in the dead-letter queue again as soon as they are sent back."""
        self._seconds_a_call = seconds_a_call / RECEIVERS  # so many calls are made at once
        self._visible = deque(self.bodies)
        self._hidden: list[tuple[float, str]] = []
        self._back_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.now

    @property
    def visible(self) -> int:
        """How many dead letters anybody may receive now."""
        with self._lock:
            self._end_hiding()
            return len(self._visible)

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803 (AWS)
        return {"QueueUrl": f"https://sqs.example/{QueueName}"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: ARG002, N803 (AWS)
        visible = self.visible
        counts = (visible, len(self.bodies) - visible, 0)
        return {"Attributes": dict(zip(AttributeNames, map(str, counts), strict=True))}

    def receive_message(self, *, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: Any) -> Any:  # noqa: N803 (AWS)
        with self._lock:
            self._called("receive_message")
            self._end_hiding()
            chosen = [self._visible.popleft() for _ in range(min(MaxNumberOfMessages, len(self._visible)))]
            for identity in chosen:
                self._back_at[identity] = self.now + VisibilityTimeout
                heapq.heappush(self._hidden, (self._back_at[identity], identity))
            return {
                "Messages": [
                    {
                        "MessageId": identity,
                        "ReceiptHandle": identity,
                        "Body": self.bodies[identity],
                        "Attributes": {"SentTimestamp": "1795646968730"},
                    }
                    for identity in chosen
                ]
            }

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: ARG002, N803 (AWS)
        answer: dict[str, list[dict[str, str]]] = {"Successful": [], "Failed": []}
        with self._lock:
            self._called("send_message_batch")
            for entry in Entries:
                if entry["MessageBody"] in self.refused:
                    answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "Message": "Try again"})
                    continue
                identity = str(uuid.uuid4())
                answer["Successful"].append({"Id": entry["Id"], "MessageId": identity})
                self.sent[entry["MessageBody"]] += 1
                if entry["MessageBody"] in self.poison:
                    self.bodies[identity] = entry["MessageBody"]
                    self._visible.append(identity)
        return answer

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: ARG002, N803 (AWS)
        with self._lock:
            self._called("delete_message_batch")
            for entry in Entries:
                assert self.bodies[entry["ReceiptHandle"]] in self.sent, "deleted before it was sent"
                del self.bodies[entry["ReceiptHandle"]], self._back_at[entry["ReceiptHandle"]]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:  # noqa: ARG002, N803 (AWS)
        with self._lock:
            self._called("change_message_visibility_batch")
            for entry in Entries:
                assert entry["VisibilityTimeout"] == 0
                if self._back_at.pop(entry["ReceiptHandle"], None) is not None:
                    self._visible.append(entry["ReceiptHandle"])

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        self.now += self._seconds_a_call

    def _end_hiding(self) -> None:
        while self._hidden and self._hidden[0][0] <= self.now:
            _, identity = heapq.heappop(self._hidden)
            if self._back_at.get(identity, self.now + 1) <= self.now:
                del self._back_at[identity]
                self._visible.appendleft(identity)  # in SQS there is no order, and this one is the worst
