"""A history, two rulesets, and the job that tries one of them beside the other."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import msgspec

from common.ruleset_bucket import keep_ruleset, put_proposal
from common.trial_rows import TrialRows
from contract.flagged import CONFIRMED_FRAUD, flag, to_flagged_item
from contract.label_rows import FRAUD, day_id, payment_key
from contract.ruleset_change import document_digest
from contract.scored import Position, to_history_item
from contract.trial_row import TrialState, asked
from contract.tried import TryAnswer, TryJob, TryRequest
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from engine.profile.fingerprints import key_hash
from engine.rules.check import check_ruleset
from engine.rules.model_section import no_models
from replay.kept_rulesets import KeptRulesets
from replay.known_verdicts import KnownVerdictsTables
from replay.sample import HistorySample
from replay.trial import Bounds, Trial
from tests.support.console_rulesets import MemoryBucket
from tests.support.payments import NOW, Log, make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, document
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from contract.scored import ScoredTransaction
    from contract.trial_row import TrialRow

RULE = "rules: [{id: %s, when: amount_base > %s, points: 60, reason: Much.}]"
ACTIVE = document(RULE % ("much", "1.0"))
PROPOSED = document(RULE % ("more", "50.0"), HEAD.replace('"1"', '"2"'))


def row(user: str, amount: int, days: float = 1) -> ScoredTransaction:
    at = NOW - timedelta(days=days)
    payment = make_grocery_payment(
        user_id=user, amount=Decimal(amount), timestamp=at, transaction_id=f"t-{amount}"
    )
    facts, ruleset = trusted_facts(payment), check_ruleset(ACTIVE.encode(), "test")
    decided = decide(facts, Profile(), ruleset)
    return scored_transaction(facts, decided, ruleset, Position("t", 0, 1), at, at, profile_version=1)


class World:
    """A history, two rulesets, and the job."""

    def __init__(self, dynamodb: Any) -> None:
        self.dynamodb = dynamodb
        for table in ("transaction_history", "flagged_transactions", "entity_risk", "rollout_counts"):
            make_table(dynamodb, table)
        self.s3 = cast("Any", MemoryBucket())
        keep_ruleset(self.s3, "rules", document_digest(ACTIVE.encode()), ACTIVE.encode())
        self.now = NOW
        self.log = Log()
        self.rows = TrialRows(dynamodb, "rollout_counts")
        self.sample = HistorySample(dynamodb, "transaction_history")
        self.bounds = Bounds(1_000, timedelta(seconds=60))

    @property
    def trial(self) -> Trial:
        verdicts = KnownVerdictsTables(self.dynamodb, "entity_risk", "flagged_transactions", lambda _: None)
        rulesets = KeptRulesets(self.s3, "rules", no_models)
        return Trial(self.rows, self.sample, verdicts, rulesets, self.bounds, lambda: self.now, self.log)

    def put(self, *rows: ScoredTransaction) -> None:
        for each in rows:
            item: dict[str, Any] = to_history_item(each, 1_900_000_000)
            item["features"] = {"B": each.features}
            self.dynamodb.put_item(TableName="transaction_history", Item=item)

    def judge(self, row: ScoredTransaction, status: str) -> None:
        """Store what the label stage does for a label: the flagged row's status, and of a fraud the row of its day."""
        flagged = flag(row, row.scored_at, timedelta(days=800))
        item: Any = to_flagged_item(msgspec.structs.replace(flagged, status=status, case_id="c-1"))
        self.dynamodb.put_item(TableName="flagged_transactions", Item=item)
        if status == CONFIRMED_FRAUD:
            self.call_fraud(row)

    def call_fraud(self, row: ScoredTransaction) -> None:
        at = row.transaction.timestamp
        key = {
            "entity_id": {"S": day_id(at.date())},
            "payment_key": {"S": payment_key(FRAUD, at, key_hash(row.event_key))},
        }
        self.dynamodb.put_item(TableName="entity_risk", Item=key)

    def request(self, proposal: str = PROPOSED, **changes: Any) -> TryRequest:
        fields: dict[str, Any] = {
            "proposal": put_proposal(self.s3, "rules", proposal.encode()),
            "digest_before": document_digest(ACTIVE.encode()),
            "is_candidate": False,
        }
        return TryRequest(**fields | changes)

    def asked(self, request: TryRequest, job_id: str = "job-1") -> TryJob:
        """What the console does."""
        row = asked(request, job_id, self.now)
        assert self.rows.replace(row, self.rows.row(request.trial_id))
        return TryJob(job_id=job_id, request=request)

    def run(self, job: TryJob) -> None:
        self.trial.handle(msgspec.to_builtins(job), timedelta(seconds=600))

    def row(self, request: TryRequest) -> TrialRow:
        row = self.rows.row(request.trial_id)
        assert row is not None
        return row

    def ask(self, proposal: str = PROPOSED, **changes: Any) -> TryAnswer:
        request = self.request(proposal, **changes)
        self.run(self.asked(request))
        row = self.row(request)
        assert row.state is TrialState.DONE
        assert row.found is not None
        return row.found


class Watched(HistorySample):
    """A sample in which something happens before a page."""

    def __init__(self, world: World, at_page: Callable[[int], None]) -> None:
        super().__init__(world.dynamodb, "transaction_history")
        self._at_page = at_page

    def rows(self, since: datetime, first: int, has_time: Callable[[], bool]) -> Iterator[Any]:
        pages = count(1)

        def watched() -> bool:
            self._at_page(next(pages))
            return has_time()

        return super().rows(since, first, watched)
