"""The table of changes and the rules bucket, with an active ruleset, for whatever proposes, approves or deploys."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from common.backoff import Backoff
from common.ruleset_bucket import keep_ruleset
from common.ruleset_changes import ChangeRows
from common.ruleset_desk import DeskRefusal, RulesetDesk
from contract.active_ruleset import ACTIVE, ActiveRuleset, active_position
from contract.ruleset_change import ChangeKind, RulesetChange, document_digest
from contract.ruleset_draft import CheckedDraft, Draft
from tests.support.tables import make_table

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
BUCKET = "rules"
FIRST = "version: '1'  # the first\n"
SECOND = "version: '2'\n"


class RulesetWorld:
    """A desk, and how a test fills what it reads.

    Parameters
    ----------
    dynamodb, s3
        Clients, such as moto's.
    """

    def __init__(self, dynamodb: Any, s3: Any, name: str = "ruleset_changes") -> None:
        self.dynamodb = dynamodb
        self.s3 = s3
        self.table = make_table(dynamodb, "ruleset_changes", lambda _: name)
        s3.create_bucket(Bucket=BUCKET)
        self.rows = ChangeRows(dynamodb, self.table, logging.getLogger("ruleset_world"))
        self.desk = RulesetDesk(
            dynamodb, self.table, self.rows, s3, BUCKET, Backoff(0.001, 0.001, lambda _: None, lambda: 0.5)
        )

    def activate(self, document: str, deployment: int = 1) -> ActiveRuleset:
        """What the guardrails write when they see another document."""
        data = document.encode()
        keep_ruleset(self.s3, BUCKET, document_digest(data), data)
        active = ActiveRuleset(
            changed_in=ACTIVE,
            change_key=ACTIVE,
            digest=document_digest(data),
            version="1",
            deployment=deployment,
            position=active_position(deployment, is_undone=False),
            since=NOW,
        )
        self.rows.put_active(active)
        return active

    def propose(
        self,
        author: str = "ann",
        *,
        document: str = SECOND,
        made_from: str | None = FIRST,
        at: datetime = NOW,
        changes_masked: bool = False,
        **draft: Any,
    ) -> RulesetChange:
        """Propose a document for all users."""
        found = self.try_to_propose(
            author, document=document, made_from=made_from, at=at, changes_masked=changes_masked, **draft
        )
        assert isinstance(found, RulesetChange)
        return found

    def try_to_propose(
        self,
        author: str,
        *,
        document: str,
        made_from: str | None,
        at: datetime = NOW,
        changes_masked: bool = False,
        **draft: Any,
    ) -> RulesetChange | DeskRefusal:
        before = None if made_from is None else document_digest(made_from.encode())
        wanted = Draft(**{"kind": ChangeKind.TO_ALL, "digest_before": before, "document": document} | draft)
        checked = CheckedDraft(document=document, version_after="2", changes_masked=changes_masked)
        return self.desk.propose(wanted, checked, author, "a better one", at)
