"""The stack's resources by interface name, and what the references of a `function.yaml` mean in the stack.

:mod:`local.provision` makes the resources; ``build/stack.json`` stores their names (:mod:`local.stack.state`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from local.identity import ConsoleSite
from ops.manifests import QueueTrigger, Reference, function_names, read_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.manifests import FunctionSpec

ACCOUNT_ID: Final = "000000000000"
"""The emulator's account."""

ALERT_TOPIC: Final = "fraud-alerts"
ALERT_INBOX: Final = "alerts-inbox"
"""A queue that subscribes to the alert topic like a customer's, without raw delivery."""

CANARY_QUEUE: Final = "canary"
"""The queue that subscribes to the canary's messages alone, with raw delivery."""

LABELS_QUEUE: Final = "labels"
"""The queue from which the label stage reads what people say about payments."""

AUDIT_HEADS_BUCKET: Final = "payment-fraud-audit-heads"
"""The only bucket with Object Lock."""

BUCKETS: Final = {
    "landing": "payment-fraud-landing",
    "quarantine": "payment-fraud-quarantine",
    "rules": "payment-fraud-rules",
    "audit_heads": AUDIT_HEADS_BUCKET,
}
"""Interface name to the name in the emulator."""

AUDIT_HEADS_LOCK: Final = {"lock_mode": "GOVERNANCE", "retention_days": "30"}
"""As in Terraform's variable ``audit_heads``."""

LANDING_PREFIX: Final = "transactions/"
"""Prefix in the landing bucket for files of transactions."""

LABELS_PREFIX: Final = "labels/"
"""Prefix in the landing bucket for files of labels."""

INGESTION_QUARANTINE_PREFIX: Final = "ingestion/"
"""Prefix in the quarantine bucket to which the Glue job writes bad rows."""

LABELS_QUARANTINE_PREFIX: Final = "label_files/"
"""Prefix in the quarantine bucket to which the Glue job writes bad rows of files of labels."""

METRICS_NAMESPACE: Final = "FraudDetection"
"""Namespace of the functions' metrics; in AWS each environment has its own."""


class RulesLocation(msgspec.Struct, frozen=True):
    """Where the ruleset is in AppConfig: names, or ids once they are known."""

    application: str = "payment-fraud"
    environment: str = "local"
    profile: str = "ruleset"
    at_once_strategy: str = "at-once-without-bake"
    gradual_strategy: str = "at-once-without-bake"


class UnknownReferenceError(Exception):
    """A reference in a `function.yaml` to a resource that the stack does not have; names function, variable and reference."""

    def __init__(self, function: str, variable: str, reference: str, known: list[str]) -> None:
        super().__init__(
            f"functions/{function}/function.yaml: environment.{variable} refers to {reference!r}, "
            f"which the stack does not have; it has {', '.join(known)}"
        )
        self.function = function
        self.variable = variable
        self.reference = reference


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """All resources of a stack."""

    tables: dict[str, str]
    """Interface name to table name."""
    queues: dict[str, str]
    """Interface name (``quarantine``, ``score-dead-letter``) to queue URL."""
    topics: dict[str, str]
    """SNS topics: interface name to ARN."""
    buckets: dict[str, str]
    """Interface name to bucket name."""
    kafka_topics: list[str]
    rules: RulesLocation = RulesLocation()
    console: ConsoleSite | None = None
    """None where no console was asked for."""

    @property
    def alert_topic_arn(self) -> str:
        """The topic to which alerts are published."""
        return self.topics["fraud_alerts"]

    @property
    def landing_uri(self) -> str:
        """Where files of transactions are put."""
        return f"s3://{self.buckets['landing']}/{LANDING_PREFIX}"

    @property
    def labels_uri(self) -> str:
        """Where files of labels are put."""
        return f"s3://{self.buckets['landing']}/{LABELS_PREFIX}"

    @property
    def ingestion_quarantine_uri(self) -> str:
        """Where the Glue job writes bad rows."""
        return f"s3://{self.buckets['quarantine']}/{INGESTION_QUARANTINE_PREFIX}"

    @property
    def labels_quarantine_uri(self) -> str:
        """Where the Glue job writes bad rows of files of labels."""
        return f"s3://{self.buckets['quarantine']}/{LABELS_QUARANTINE_PREFIX}"

    def dead_letter_bucket(self, function: str) -> str:
        """A function's bucket for dead letters; empty for a function that has none."""
        return self.buckets.get(dead_letter_name(function), "")

    def dead_letter_queue(self, function: str) -> str:
        """URL of a function's dead-letter queue."""
        return self.queues[dead_letter_name(function)]

    def source_queue(self, spec: FunctionSpec) -> str:
        """URL of the queue that a function reads; empty for a function that reads none."""
        return self.queues[spec.trigger.queue] if isinstance(spec.trigger, QueueTrigger) else ""

    def references(self, cache_endpoint: str, bootstrap_servers: str, function: str) -> dict[str, str]:
        """Return everything that the `function.yaml` of a function can refer to, with its value in this stack."""
        named = {"table": self.tables, "queue": self.queues, "topic": self.topics, "bucket": self.buckets}
        return {
            **{f"{kind}.{name}": value for kind, values in named.items() for name, value in values.items()},
            **{
                f"index.{name}.{index}": index
                for name, table in read_tables().items()
                for index in table.indexes
            },
            **{f"rules.{name}": value for name, value in msgspec.structs.asdict(self.rules).items()},
            "cache.endpoint": cache_endpoint,
            "cache.replication_group": "",  # this cache needs no authentication
            "key.tokenization": "none",  # nothing is in KMS here: `make card-token` has the local job's key
            "kafka.bootstrap_servers": bootstrap_servers,
            "kafka.security_protocol": "PLAINTEXT",
            "console.url": "",  # unless the stack has one
            **(self.console.references() if self.console is not None else {}),
            "metrics.namespace": METRICS_NAMESPACE,
            **{f"audit_heads.{name}": value for name, value in AUDIT_HEADS_LOCK.items()},
            **{
                f"function.{name}": name for name in function_names()
            },  # where :mod:`local.lambda_api` serves them
            "dead_letter.queue": self.dead_letter_queue(function),
            **({"dead_letter.bucket": bucket} if (bucket := self.dead_letter_bucket(function)) else {}),
        }


def dead_letter_name(function: str) -> str:
    """Return the interface name of a function's dead-letter queue, and of its bucket."""
    return f"{function}-dead-letter"


def resolve_environment(function: FunctionSpec, references: Mapping[str, str]) -> dict[str, str]:
    """Replace a function's references with their values.

    Parameters
    ----------
    function : FunctionSpec
        The content of `function.yaml`.
    references : Mapping[str, str]
        Known references with their values: ``table.transaction_history`` to a table's name, and so on.

    Returns
    -------
    dict[str, str]
        The function's environment, complete.

    Raises
    ------
    UnknownReferenceError
        If a reference is not known.
    """
    environment = {}
    for variable, value in function.environment.items():
        if not isinstance(value, Reference):
            environment[variable] = value
            continue
        if value.ref not in references:
            raise UnknownReferenceError(function.name, variable, value.ref, sorted(references))
        environment[variable] = references[value.ref]
    return environment
