"""The job's arguments, ``--name value``: the form in which Glue passes them."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from glue_scripts.progress import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TOPIC: Final = "transaction_stream"

_OF_LABELS: Final = ("labels_path", "labels_quarantine_path", "labels_checkpoint_path", "labels_queue_url")
"""What files of labels need, in the order of :class:`LabelArguments`."""


@dataclass(frozen=True)
class LabelArguments:
    """Where files of labels land and go."""

    landing_path: str
    quarantine_path: str
    checkpoint_path: str
    queue_url: str
    """The labels queue."""
    mappings_path: str | None
    """Folder of the mappings of labels, ``<prefix>.yaml``; None where every column is known by its name."""
    trigger_interval: str
    """Minimum time between the starts of two batches. Labels come days after their payments, so it may be longer."""


@dataclass(frozen=True)
class Arguments:
    """What differs between the places where the job runs."""

    landing_path: str
    quarantine_path: str
    checkpoint_path: str
    kafka_bootstrap_servers: str
    kafka_options: dict[str, str]
    """Further options of Spark's Kafka sink, such as ``kafka.security.protocol``."""
    topic: str
    tokenization_key: str
    """Where the key comes from: ``kms:<ARN of an HMAC key>`` or ``env:<VARIABLE>``; never the key itself."""
    mappings_path: str | None
    """Folder of the mappings, ``<prefix>.yaml``; None where every column is known by its name."""
    trigger_interval: str
    """Minimum time between the starts of two batches, as Spark writes it: ``10 seconds``."""
    max_files_per_trigger: int
    metrics_namespace: str
    """CloudWatch namespace of the job's metrics."""
    labels: LabelArguments | None = None
    """None where no files of labels are read."""


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read the job's arguments, and ignore Glue's own (``--JOB_NAME``, ``--TempDir``, ...).

    Parameters
    ----------
    argv : Sequence[str]
        The command line without the program's name.

    Returns
    -------
    Arguments
        Complete and of the right types.

    Raises
    ------
    SystemExit
        Naming the argument that is missing or wrong.
    """
    # Without abbreviations: one of Glue's own arguments could be an abbreviation of one of ours.
    parser = argparse.ArgumentParser(prog="stream_transactions", allow_abbrev=False)
    parser.add_argument("--landing_path", required=True)
    parser.add_argument("--quarantine_path", required=True)
    parser.add_argument("--checkpoint_path", required=True)
    parser.add_argument("--kafka_bootstrap_servers", required=True)
    parser.add_argument("--kafka_options", type=_options, default="{}")
    parser.add_argument("--topic", default=DEFAULT_TOPIC)
    parser.add_argument("--tokenization_key", type=_key_source, required=True)
    parser.add_argument("--mappings_path")
    parser.add_argument("--trigger_interval", default="10 seconds")
    parser.add_argument("--max_files_per_trigger", type=_positive, default=1000)
    parser.add_argument("--metrics_namespace", default=DEFAULT_NAMESPACE)
    labels = parser.add_argument_group(
        "labels", "all of them, but for the mappings and the interval, or none"
    )
    for name in _OF_LABELS:
        labels.add_argument(f"--{name}")
    labels.add_argument("--label_mappings_path")
    labels.add_argument("--labels_trigger_interval", default="60 seconds")
    known, _ = parser.parse_known_args(argv)
    return _arguments(vars(known), parser)


def _arguments(known: dict[str, Any], parser: argparse.ArgumentParser) -> Arguments:
    of_labels = {name: known.pop(name) for name in _OF_LABELS}
    mappings_path, interval = known.pop("label_mappings_path"), known.pop("labels_trigger_interval")
    missing = [name for name, value in of_labels.items() if value is None]
    if missing and len(missing) < len(_OF_LABELS):
        parser.error(f"argument --{missing[0]}: missing; files of labels need {', '.join(_OF_LABELS)}")
    landing, quarantine, checkpoint, queue = of_labels.values()
    labels = (
        None if missing else LabelArguments(landing, quarantine, checkpoint, queue, mappings_path, interval)
    )
    return Arguments(**known, labels=labels)


def _options(text: str) -> dict[str, str]:
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    if not isinstance(options, dict) or not all(isinstance(value, str) for value in options.values()):
        raise argparse.ArgumentTypeError("not a JSON object of strings")
    return options


def _key_source(text: str) -> str:
    kind, _, name = text.partition(":")
    if kind not in ("kms", "env") or not name:
        raise argparse.ArgumentTypeError("neither kms:<ARN of an HMAC key> nor env:<VARIABLE>")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("not a whole number of at least 1")
    return int(text)
