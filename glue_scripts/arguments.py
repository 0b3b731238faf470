"""The job's arguments: ``--name value``, as Glue passes them, and as any other caller can."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from glue_scripts.progress import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TOPIC: Final = "transaction_stream"


@dataclass(frozen=True)
class Arguments:
    """What differs between one place and another where the job runs."""

    landing_path: str
    quarantine_path: str
    checkpoint_path: str
    kafka_bootstrap_servers: str
    kafka_options: dict[str, str]
    """Further options of Spark's Kafka sink, such as ``kafka.security.protocol``."""
    topic: str
    tokenization_key: str
    """Where the key is from: ``kms:<ARN of an HMAC key>`` or ``env:<VARIABLE>``; never the key itself."""
    trigger_interval: str
    """Least time between the starts of two batches, as Spark writes it: ``10 seconds``."""
    max_files_per_trigger: int
    metrics_namespace: str
    """CloudWatch's namespace of the job's metrics."""


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read the job's arguments, and leave Glue's own (``--JOB_NAME``, ``--TempDir``, ...) alone.

    Parameters
    ----------
    argv : Sequence[str]
        Without the program's name.

    Returns
    -------
    Arguments
        All of them present and of their type.

    Raises
    ------
    SystemExit
        Naming the argument that is missing or wrong.
    """
    # Without abbreviations: Glue's --TempDir and friends must not be taken for the beginning of one of ours.
    parser = argparse.ArgumentParser(prog="stream_transactions", allow_abbrev=False)
    parser.add_argument("--landing_path", required=True)
    parser.add_argument("--quarantine_path", required=True)
    parser.add_argument("--checkpoint_path", required=True)
    parser.add_argument("--kafka_bootstrap_servers", required=True)
    parser.add_argument("--kafka_options", type=_options, default="{}")
    parser.add_argument("--topic", default=DEFAULT_TOPIC)
    parser.add_argument("--tokenization_key", type=_key_source, required=True)
    parser.add_argument("--trigger_interval", default="10 seconds")
    parser.add_argument("--max_files_per_trigger", type=_positive, default=1000)
    parser.add_argument("--metrics_namespace", default=DEFAULT_NAMESPACE)
    known, _ = parser.parse_known_args(argv)
    return Arguments(**vars(known))


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
