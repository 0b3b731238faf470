"""Who is paged and alerted, and which workflows may apply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.doctor.finding import Finding, Level, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACEHOLDER: Final = "example/payment-fraud-detection"
"""The repository in the files as they are delivered."""


def subscribers(site: Site) -> Iterator[Finding]:
    """Whether somebody gets alarms and alerts."""
    level = Level.FAIL if site.environment.is_protected else Level.WARN
    file = site.environment.variables_file.name
    pages = [path for path in site.settings if path.startswith("operations_subscriptions.page.")]
    people = sorted({path.split(".")[2] for path in pages})
    if people:
        yield Finding(Level.OK, f"Paged: {', '.join(people)}.")
    else:
        yield Finding(level, f"Nobody is paged; name them in operations_subscriptions.page of {file}.")
    if site.settings["alerts"]:
        yield Finding(Level.OK, f"Alerted: {', '.join(sorted(site.settings['alerts']))}.")
    else:
        yield Finding(level, f"Nobody gets the alerts; name them in alert_subscriptions of {file}.")


def repository(site: Site) -> Iterator[Finding]:
    """Whether the CI roles trust a repository of yours."""
    named = site.bootstrap.get("github_repository")
    if named in (None, PLACEHOLDER):
        yield Finding(
            Level.FAIL,
            f"bootstrap.tfvars of {site.environment.name} names no repository of yours; set github_repository to owner/name.",
        )
    else:
        yield Finding(Level.OK, f"Workflows of {named} plan and apply.")
