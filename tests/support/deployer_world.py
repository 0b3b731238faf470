"""The deployer with a desk, on moto's tables and bucket and AppConfig in memory."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from common.ruleset_bucket import keep_ruleset, proposed_document
from contract.ruleset_change import ChangeKind, RulesetChange, document_digest
from contract.ruleset_draft import Draft
from engine.rules.model_section import no_models
from rollouts.deployments import Deployments
from rules_validator.drafts import DraftChecker
from ruleset_deployer.stage import Deployer
from ruleset_deployer.store import DeployedRows
from tests.support.appconfig_memory import MemoryAppConfig
from tests.support.rule_samples import HEAD, document
from tests.support.ruleset_world import BUCKET, NOW, RulesetWorld

if TYPE_CHECKING:
    from datetime import datetime

LISTS_HEAD = HEAD + "lists: {denied: {field: device_id, entries: []}}\n"
FIRST = document(head=LISTS_HEAD)
SECOND = FIRST.replace('"1"', '"2"')
THIRD = FIRST.replace('"1"', '"3"')


class DeployerWorld(RulesetWorld):
    """A world in which the first ruleset is deployed and active.

    Attributes
    ----------
    appconfig : MemoryAppConfig
        What is deployed.
    emitted : dict[str, float]
        Metrics, added up.
    now : datetime
        The clock.
    """

    def __init__(self, dynamodb: Any, s3: Any) -> None:
        super().__init__(dynamodb, s3)
        self.appconfig = MemoryAppConfig()
        self.emitted: dict[str, float] = {}
        self.lines: list[tuple[object, Any]] = []
        self.now: datetime = NOW + timedelta(minutes=10)
        self.appconfig.deploy(FIRST.encode(), content_type="application/x-yaml")
        self.activate(FIRST)
        self.checker = DraftChecker(
            lambda digest: self.s3.get_object(Bucket=BUCKET, Key=f"rulesets/{digest}")["Body"].read(),
            no_models,
            lambda: self.now,
        )
        self.deployer = self.make_deployer()

    def make_deployer(self, dynamodb: Any = None, s3: Any = None, appconfig: Any = None) -> Deployer:
        """A process of the deployer, which may see AWS through something that fails."""
        s3 = s3 or self.s3
        deployments: Any = appconfig or self.appconfig
        return Deployer(
            DeployedRows(dynamodb or self.dynamodb, self.table, self),
            Deployments(deployments, "a", "e", "at-once"),
            partial(proposed_document, s3, BUCKET),
            partial(keep_ruleset, s3, BUCKET),
            no_models,
            "gradual",
            self,
            self,
            lambda: self.now,
        )

    def approved(
        self, kind: ChangeKind = ChangeKind.TO_ALL, *, minute: int = 0, made_from: str = FIRST, **draft: Any
    ) -> RulesetChange:
        """Propose what the checker makes of a draft, and approve it."""
        at = NOW + timedelta(minutes=minute)
        wanted = Draft(kind=kind, digest_before=document_digest(made_from.encode()), **draft)
        checked = self.checker.check(wanted)
        assert checked.is_good, checked.problems
        proposed = self.desk.propose(wanted, checked, "ann", "a better one", at)
        assert isinstance(proposed, RulesetChange)
        if proposed.changes_masked:
            self.desk.reveal(proposed.change_id, "bob")
        approved = self.desk.approve(proposed.change_id, "bob", None, at + timedelta(seconds=30))
        assert isinstance(approved, RulesetChange)
        return approved

    def stored(self, change: RulesetChange) -> RulesetChange:
        """A change as it is now."""
        found = self.desk.change(change.change_id)
        assert found is not None
        return found

    def deployed(self) -> list[bytes]:
        """The documents of all deployments, the oldest first."""
        return [
            self.appconfig.documents[int(each["ConfigurationVersion"]) - 1][0]
            for each in self.appconfig.deployments
        ]

    def add_metric(self, name: str, unit: object, value: float) -> None:
        assert unit
        self.emitted[name] = self.emitted.get(name, 0) + value

    def info(self, msg: object, *, extra: Any) -> None:
        self.lines.append((msg, extra))

    error = info
