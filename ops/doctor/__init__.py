"""Read-only checks of an account before anything is applied in it: ``make doctor``. `make plan` runs the quick ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from ops.doctor import names, people, place, quotas
from ops.doctor.finding import Finding, Level, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Check = tuple[str, "Callable[[Site], Iterator[Finding]]"]

QUICK: Final[tuple[Check, ...]] = (
    ("Lambda's concurrency", quotas.lambda_concurrency),
    ("zones", place.zones),
    ("Kafka's version", place.kafka_version),
    ("the cache's version", place.cache_version),
    ("API Gateway's logs", names.api_gateway_logs),
    ("subscribers", people.subscribers),
)
"""A dozen calls, all of which the plan role may make."""

SLOW: Final[tuple[Check, ...]] = (
    ("MSK's brokers", quotas.brokers),
    ("network quotas", quotas.network),
    ("GitHub's OIDC provider", names.oidc_provider),
    ("the state bucket's name", names.state_bucket),
    ("names of the environment", names.leftovers),
    ("the repository", people.repository),
)


def examine(site: Site, *, is_quick: bool) -> list[Finding]:
    """Run the checks.

    Parameters
    ----------
    site : Site
        What to check; the account of the credentials is checked already.
    is_quick : bool
        Only those that every plan runs.

    Returns
    -------
    list of Finding
        In the order of the checks. One that AWS does not answer gives a finding too.
    """
    findings: list[Finding] = []
    for what, check in QUICK if is_quick else QUICK + SLOW:
        try:
            findings += check(site)
        except (BotoCoreError, ClientError) as error:
            findings.append(
                Finding(Level.UNKNOWN, f"AWS did not answer for {what} ({error}); check it by hand.")
            )
    return findings


def failures(findings: list[Finding]) -> list[Finding]:
    """Those that make an apply fail."""
    return [finding for finding in findings if finding.level is Level.FAIL]
