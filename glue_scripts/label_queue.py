"""Sends messages to the labels queue: up to ten a call, each until the queue has taken it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mypy_boto3_sqs import SQSClient

MESSAGES_A_CALL: Final = 10
"""The most that SQS takes at once."""

MAX_TRIES: Final = 8
"""Calls for one message, before its batch fails and is repeated as a whole."""

CONNECTIONS: Final = 8
"""Calls at the same time: each waits for the network most of its time."""

_FIRST_PAUSE_SECONDS: Final = 0.1


class LabelsNotSentError(Exception):
    """The queue has refused messages at every try.

    Parameters
    ----------
    codes : Mapping[str, int]
        SQS's code to how many messages it was the last reason of.
    """

    def __init__(self, codes: Mapping[str, int]) -> None:
        reasons = ", ".join(f"{code} ({count})" for code, count in sorted(codes.items()))
        super().__init__(
            f"the labels queue refused {sum(codes.values())} messages {MAX_TRIES} times: {reasons}"
        )
        self.codes = dict(codes)


def send_all(
    sqs: SQSClient, queue_url: str, messages: Iterable[bytes], sleep: Callable[[float], None]
) -> int:
    """Send messages; it returns when the queue has taken every one.

    Parameters
    ----------
    sqs : SQSClient
        Safe for several threads.
    queue_url : str
        The queue.
    messages : Iterable[bytes]
        JSON in UTF-8; it is read no further than what is being sent.
    sleep : Callable[[float], None]
        Waits so many seconds.

    Returns
    -------
    int
        How many they were.

    Raises
    ------
    LabelsNotSentError
        Where the queue has not taken some of them. Others may have been sent.
    """
    send = partial(_send, sqs, queue_url, sleep)
    count = 0
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        calls = _parts(iter(messages), MESSAGES_A_CALL)
        while some := list(islice(calls, CONNECTIONS)):
            count += sum(pool.map(send, some))
    return count


def _send(sqs: SQSClient, queue_url: str, sleep: Callable[[float], None], messages: list[bytes]) -> int:
    left = {str(number): message.decode() for number, message in enumerate(messages)}
    codes: Counter[str] = Counter()
    for number_of_try in range(MAX_TRIES):
        if number_of_try:
            sleep(_FIRST_PAUSE_SECONDS * 2 ** (number_of_try - 1))
        entries: Any = [{"Id": number, "MessageBody": body} for number, body in left.items()]
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        # What neither list names was not taken either.
        for taken in answer.get("Successful", ()):
            left.pop(taken["Id"], None)
        if not left:
            return len(messages)
        code_of = {failed["Id"]: str(failed["Code"]) for failed in answer.get("Failed", ())}
        codes = Counter(code_of.get(number, "no answer") for number in left)
    raise LabelsNotSentError(codes)


def _parts(messages: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while some := list(islice(messages, size)):
        yield some
