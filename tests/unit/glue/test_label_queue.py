"""Sending to the labels queue: ten a call, what was not taken again, and nothing lost."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

from glue_scripts.label_queue import CONNECTIONS, MAX_TRIES, MESSAGES_A_CALL, LabelsNotSentError, send_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/labels"


class Queue:
    """Answers as SQS; ``refuses`` says whether it takes a body at its n-th try."""

    def __init__(self, refuses: Callable[[str, int], bool] = lambda _body, _try: False) -> None:
        self._refuses = refuses
        self._lock = Lock()
        self.taken: list[str] = []
        self.tries: Counter[str] = Counter()
        self.sizes: list[int] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - AWS's names
        assert QueueUrl == URL
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        answer: dict[str, list[dict[str, str]]] = {"Successful": [], "Failed": []}
        with self._lock:
            self.sizes.append(len(Entries))
            for entry in Entries:
                body = entry["MessageBody"]
                self.tries[body] += 1
                if self._refuses(body, self.tries[body]):
                    answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError"})
                else:
                    self.taken.append(body)
                    answer["Successful"].append({"Id": entry["Id"]})
        return {kind: entries for kind, entries in answer.items() if entries}


def messages(count: int) -> list[bytes]:
    return [f"{{{number}}}".encode() for number in range(count)]


def send(queue: Queue, bodies: list[bytes]) -> tuple[int, list[float]]:
    pauses: list[float] = []
    client: Any = queue
    return send_all(client, URL, bodies, pauses.append), pauses


@pytest.mark.parametrize("count", [0, 1, 10, 11, 1005])
def test_every_message_is_sent_once_and_ten_a_call(count: int) -> None:
    queue = Queue()

    sent, pauses = send(queue, messages(count))

    assert sent == count
    assert sorted(queue.taken) == sorted(body.decode() for body in messages(count))
    assert len(queue.sizes) == -(-count // MESSAGES_A_CALL)
    assert pauses == []


def test_only_what_was_not_taken_is_sent_again_after_a_pause_that_grows() -> None:
    queue = Queue(lambda body, number_of_try: body == "{3}" and number_of_try <= 2)

    sent, pauses = send(queue, messages(10))

    assert sent == 10
    assert queue.tries == {f"{{{number}}}": 3 if number == 3 else 1 for number in range(10)}
    assert pauses == [0.1, 0.2]


def test_a_message_that_is_refused_at_every_try_is_an_error_and_the_others_are_sent() -> None:
    queue = Queue(lambda body, _try: body == "{3}")

    with pytest.raises(LabelsNotSentError, match=r"refused 1 messages 8 times: InternalError \(1\)") as error:
        send(queue, messages(10))

    assert error.value.codes == {"InternalError": 1}
    assert queue.tries["{3}"] == MAX_TRIES
    assert len(queue.taken) == 9


def test_a_message_that_the_answer_does_not_name_was_not_taken() -> None:
    class Silent(Queue):
        def send_message_batch(self, **request: Any) -> dict[str, Any]:
            answer = super().send_message_batch(**request)
            if len(self.sizes) == 1:
                answer["Successful"].pop()
            return answer

    queue = Silent()

    sent, _ = send(queue, messages(4))

    assert sent == 4
    assert queue.tries["{3}"] == 2


def test_messages_are_read_no_further_than_what_is_being_sent() -> None:
    ahead: list[int] = []
    queue = Queue()

    def endless() -> Iterator[bytes]:
        for number, body in enumerate(messages(2000)):
            ahead.append(number - len(queue.taken))
            yield body

    client: Any = queue
    send_all(client, URL, endless(), lambda _seconds: None)

    assert max(ahead) <= CONNECTIONS * MESSAGES_A_CALL
