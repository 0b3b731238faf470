"""What the stack consists of, by interface name, and what a `function.yaml`'s references mean there.

:mod:`local.provision` makes the resources; ``build/stack.json`` stores their names (:mod:`local.stack.state`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ops.manifests import Reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.manifests import FunctionSpec

ACCOUNT_ID: Final = "000000000000"
"""The account that the emulator plays."""

ALERT_TOPIC: Final = "fraud-alerts"
ALERT_INBOX: Final = "alerts-inbox"
"""A queue that subscribes to the alert topic as any customer's would, raw delivery off."""

BUCKETS: Final = {"landing": "payment-fraud-landing", "quarantine": "payment-fraud-quarantine"}
"""Interface name to the name in the emulator."""

LANDING_PREFIX: Final = "transactions/"
"""Where in the landing bucket files of transactions are dropped."""

INGESTION_QUARANTINE_PREFIX: Final = "ingestion/"
"""Where in the quarantine bucket the Glue job puts bad rows."""

METRICS_NAMESPACE: Final = "FraudDetection"
"""Of the functions' metrics; in AWS each environment has its own."""


class RulesLocation(msgspec.Struct, frozen=True):
    """The ruleset's application, environment and profile in AppConfig, by name."""

    application: str = "payment-fraud"
    environment: str = "local"
    profile: str = "ruleset"


class UnknownReferenceError(Exception):
    """A reference in a `function.yaml` to what the stack does not have; names function, variable and reference."""

    def __init__(self, function: str, variable: str, reference: str, known: list[str]) -> None:
        super().__init__(
            f"functions/{function}/function.yaml: environment.{variable} refers to {reference!r}, "
            f"which the stack does not have; it has {', '.join(known)}"
        )
        self.function = function
        self.variable = variable
        self.reference = reference


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, by interface name."""

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

    @property
    def alert_topic_arn(self) -> str:
        """The topic that alerts are published on."""
        return self.topics["fraud_alerts"]

    @property
    def landing_uri(self) -> str:
        """Where files of transactions are dropped."""
        return f"s3://{self.buckets['landing']}/{LANDING_PREFIX}"

    @property
    def ingestion_quarantine_uri(self) -> str:
        """Where the Glue job puts bad rows."""
        return f"s3://{self.buckets['quarantine']}/{INGESTION_QUARANTINE_PREFIX}"

    def dead_letter_queue(self, function: str) -> str:
        """URL of a function's dead-letter queue."""
        return self.queues[dead_letter_name(function)]

    def references(self, cache_endpoint: str, bootstrap_servers: str) -> dict[str, str]:
        """Everything that a `function.yaml` can refer to, and what that is here."""
        named = {"table": self.tables, "queue": self.queues, "topic": self.topics, "bucket": self.buckets}
        return {
            **{f"{kind}.{name}": value for kind, values in named.items() for name, value in values.items()},
            **{f"rules.{name}": value for name, value in msgspec.structs.asdict(self.rules).items()},
            "cache.endpoint": cache_endpoint,
            "cache.replication_group": "",  # this cache asks for no sign-in
            "kafka.bootstrap_servers": bootstrap_servers,
            "kafka.security_protocol": "PLAINTEXT",
            "metrics.namespace": METRICS_NAMESPACE,
        }


def dead_letter_name(function: str) -> str:
    """Name of a function's dead-letter queue."""
    return f"{function}-dead-letter"


def resolve_environment(function: FunctionSpec, references: Mapping[str, str]) -> dict[str, str]:
    """Put values in the place of a function's references.

    Parameters
    ----------
    function : FunctionSpec
        What `function.yaml` says.
    references : Mapping[str, str]
        What there is: ``table.transaction_history`` to a table's name, and so on.

    Returns
    -------
    dict[str, str]
        The function's environment, complete.

    Raises
    ------
    UnknownReferenceError
        Naming function, variable and reference.
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
