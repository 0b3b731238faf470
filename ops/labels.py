"""Send one label by hand: ``make label TRANSACTION= VERDICT= SOURCE=``, to an environment's queue or to the local stack's (`local.label`)."""

from __future__ import annotations

import json
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Protocol

from contract.errors import InvalidLabelError
from contract.label import LabelMessage
from contract.label_message import decode_label_message, encode_label_message, identified
from ops.errors import OpsError

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

VARIABLES: Final = {
    field: {"transaction_id": "TRANSACTION"}.get(field, field.upper())
    for field in LabelMessage.__struct_fields__
}
"""Field of a message to the variable of `make label` that gives it."""

OUTPUT: Final = "labels_queue_url"
"""The root module's output that names the queue."""


class Queue(Protocol):
    """The SQS call that is used."""

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: N803 - SQS's names
        """Send one message to a queue."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field of a message; an empty one is not given."""
    for field, variable in VARIABLES.items():
        parser.add_argument(f"--{field.replace('_', '-')}", dest=field, default="", metavar=variable)


def read_message(options: argparse.Namespace, now: datetime) -> LabelMessage:
    """Make the message that the options describe, with an id, so that it can be withdrawn.

    Parameters
    ----------
    options : Namespace
        Parsed options of :func:`add_options`.
    now : datetime
        When it became known if the options do not say that, UTC.

    Raises
    ------
    OpsError
        Naming the variable that is missing or cannot be used.
    """
    given = {field: value for field in VARIABLES if (value := getattr(options, field))}
    body: dict[str, object] = dict(given)
    if "confidence" in given:
        body["confidence"] = _number(given["confidence"])
    try:
        return identified(decode_label_message(json.dumps(body).encode()), now)
    except InvalidLabelError as error:
        raise OpsError(f"{VARIABLES.get(error.field, error.field)}: {error.problem}") from error


def send(sqs: Queue, queue_url: str, message: LabelMessage) -> str:
    """Send a message, and say what was sent and where."""
    body = encode_label_message(message).decode()
    number = sqs.send_message(QueueUrl=queue_url, MessageBody=body)["MessageId"]
    return f"{body}\nsent to {queue_url} as message {number}"


def queue_url(outputs: dict[str, Any], environment: str) -> str:
    """Read the queue's URL from the root module's outputs; OpsError if the environment has none yet."""
    if OUTPUT not in outputs:
        raise OpsError(f"{environment} has no queue of labels yet; apply it first.")
    url: str = outputs[OUTPUT]
    return url


def _number(text: str) -> object:
    """The number that a text is; the text itself if it is none, which the contract refuses."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if isfinite(number) else text
