"""The calls that the guardrails make: to AppConfig, to the tables of counts and changes, to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange
    from rollouts.deployments import Deployment, Listed
    from rollouts.tables import Counted


class Log(Protocol):
    """Powertools' Logger."""

    def warning(self, msg: object, *, extra: Mapping[str, object]) -> None:
        """Write one line with its fields."""
        ...


class RulesetDeployments(Protocol):
    """The calls to AppConfig; see :class:`rollouts.deployments.Deployments`."""

    @property
    def place(self) -> str:
        """Ids of application and environment."""
        ...

    def newest(self) -> list[Deployment]:
        """Give the active deployment, and before it those that were undone later."""
        ...

    def before(self, number: int) -> list[Deployment]:
        """Give the deployment that was active before another one, and those between them that were undone."""
        ...

    def listed(self) -> list[Listed]:
        """Give the 50 newest deployments, the oldest first, without their documents."""
        ...

    def find(self, number: int) -> Deployment | None:
        """Give one deployment."""
        ...

    def replace(self, newest: Sequence[Deployment], document: bytes, why: str) -> int:
        """Deploy a document at once."""
        ...

    def stop(self, deployment: Deployment) -> None:
        """Stop a deployment that is not complete."""
        ...


class Counts(Protocol):
    """What was counted; see :class:`rollouts.tables.CountsTable`."""

    def read(self, digest: str, now: datetime) -> Counted:
        """Read what was counted of a ruleset."""
        ...


class Changes(Protocol):
    """What was changed; see :class:`common.ruleset_changes.MadeChanges`."""

    def put(self, change: RulesetChange) -> None:
        """Insert a row."""
        ...

    def put_ended(self, begun: RulesetChange, ended: RulesetChange) -> None:
        """Write what became of a change that is in the state of ``begun``."""
        ...

    def put_active(self, active: ActiveRuleset) -> None:
        """Write which ruleset is active, unless somebody has seen something newer."""
        ...

    def made(self, change_id: str) -> RulesetChange | None:
        """Read a row by the change's id."""
        ...

    def lately(self, now: datetime) -> list[RulesetChange]:
        """The changes of this month and the one before, oldest first."""
        ...
