"""The ruleset's part of the console in tests: an active ruleset, a bucket in memory, and the validator in this process."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from botocore.exceptions import ClientError

from common.backoff import Backoff
from common.ruleset_bucket import keep_ruleset, kept_ruleset, put_proposal
from common.ruleset_changes import ChangeRows
from common.ruleset_desk import RulesetDesk
from common.trial_rows import TrialRows
from common.unreadable_rows import UnreadableRows
from console.change_pages import ChangePages
from console.editor_pages import EditorPages
from console.list_pages import ListPages
from console.model_pages import ModelPages
from console.rollout_windows import RolloutWindows
from console.rules_pages import ActiveDocument, RulesPages
from console.ruleset_reader import RulesetReader
from console.trial_pages import TrialPages
from console.trials import Trials
from contract.active_ruleset import ACTIVE, ActiveRuleset, active_position
from contract.authoring import Answer
from contract.ruleset_change import ChangeKind, ListEntry, RulesetChange, document_digest
from contract.ruleset_draft import Draft
from contract.trial_row import TrialState, asked
from contract.tried import KnownVerdicts, Rate, RuleChange, TriedExample, TryAnswer, TryRequest
from engine.rollout.start import with_candidate
from lab.models import kept_baseline, kept_model
from ops.manifests import ROOT
from rollouts.tables import CountsTable
from rules_validator.author_desk import answer
from rules_validator.drafts import DraftChecker

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.app import Desk
    from console.case_reader import Changing
    from console.records import Records
    from console.settings import Settings
    from console.trials import Starting
    from console.watch_pages import Flagged
    from contract.authoring import RulesetOutline
    from contract.flagged import FlaggedKey
    from contract.trial_row import TrialRow

MODEL: Final = json.loads((ROOT / "models" / "default.json").read_text(encoding="utf-8"))["sha256"]

RULESET: Final = """\
# Of the bank.
version: "1"
base_currency: USD
thresholds: {review: 50, block: 80}
lists:
  denied_cards: {field: card_id, entries: []}
  denied_merchants:
    field: merchant_id
    entries:
      - {value: shop-9, until: "2026-02-01", note: "a mule's"}
rules:
  - id: impossible_travel
    when: implied_speed_kmh > 900.0
    points: 40
    reason: "{implied_speed_kmh:,.0f} km/h."
  - id: large
    when: amount_base > 5000.0 && on_denied_merchants
    points: 20
    reason: "Paid {amount_base:,.2f} {base_currency}."
"""
"""What is active; rows of payments in tests name its first rule."""

CHAMPION: Final = RULESET.replace(
    "base_currency: USD", f"base_currency: USD\nmodel: {{sha256: {MODEL}, points: [[0, -5], [0.5, 40]]}}"
)
"""The same with the model that ships."""

DRAW_KEY: Final = "0123456789abcdef" * 2

RULESET_WITH_CANDIDATE: Final = with_candidate(
    CHAMPION,
    CHAMPION.replace('version: "1"', 'version: "2"').replace("points: 20", "points: 30"),
    5.0,
    DRAW_KEY,
)
"""The same with a candidate for a twentieth of the users, whose second rule gives more points."""


def outline_of(text: str) -> RulesetOutline:
    """What a good document says."""
    found = msgspec.convert(answer({"ask": "read", "document": text}, kept_model), Answer)
    assert found.outline is not None, found.problems
    return found.outline


def tried_example(key: FlaggedKey, cents: int, verdict: str = "") -> TriedExample:
    """Make a payment that the active ruleset reviews and the proposed one approves."""
    return TriedExample(
        user_id=key.user_id,
        event_key=key.event_key,
        cents=cents,
        before="review",
        before_score=60,
        after="approve",
        after_score=0,
        verdict=verdict,
    )


def done_trial(request: TryRequest, key: FlaggedKey, at: datetime) -> TrialRow:
    """What a trial found, which names a payment."""
    example = tried_example(key, 100)
    rate = Rate(before=1, after=0, times=0.3, interval=(0.1, 1.2), before_cents=100, after_cents=0)
    known = KnownVerdicts(
        frauds=1, fraud_cents=100, found=rate, found_only_before=1, found_only_after=0, false_alarms=rate
    )
    found = TryAnswer(
        payments=2,
        users=1,
        share_read=0.5,
        base_currency="USD",
        alerts=rate,
        blocks=rate,
        lost=(RuleChange("large", 1, 100, (example,)),),
        known=known,
    )
    answer = msgspec.json.encode(found).decode()
    return msgspec.structs.replace(asked(request, "0" * 32, at), state=TrialState.DONE, answer=answer)


class MemoryBucket:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


class LocalValidator:
    """Lambda, with the validator alone."""

    def __init__(self, documents: Callable[[str], bytes]) -> None:
        self._documents = documents
        self.asked: list[dict[str, Any]] = []
        self.fails = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - Lambda's names
        assert FunctionName == "rules_validator"
        event = json.loads(Payload)
        self.asked.append(event)
        if self.fails:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}")}
        if "draft" in event:
            checker = DraftChecker(self._documents, kept_model, lambda: datetime(2026, 3, 1, tzinfo=UTC))
            found = msgspec.to_builtins(checker.check(msgspec.convert(event["draft"], Draft)))
        else:
            found = answer(event, kept_model, kept_baseline)
        return {"Payload": io.BytesIO(json.dumps(found).encode())}


class ConsoleRulesets:
    """What the pages of rules use.

    Parameters
    ----------
    dynamodb
        A boto3 client; the tables exist.
    settings : Settings
        Their names.
    """

    def __init__(self, dynamodb: Any, settings: Settings) -> None:
        self.s3 = cast("Any", MemoryBucket())
        self.bucket = settings.rules_bucket
        self.validator = LocalValidator(partial(kept_ruleset, self.s3, self.bucket))
        log = logging.getLogger("console_rulesets")
        self.rows = ChangeRows(dynamodb, settings.ruleset_changes_table, log)
        backoff = Backoff(0.001, 0.001, lambda _: None, lambda: 0.5)
        self.desk = RulesetDesk(
            dynamodb, settings.ruleset_changes_table, self.rows, self.s3, self.bucket, backoff
        )
        self.trial_rows = TrialRows(dynamodb, settings.rollout_counts_table)
        self._reader = RulesetReader(self.validator, settings.rules_validator_function)
        self._counts = RolloutWindows(
            CountsTable(dynamodb, settings.rollout_counts_table, UnreadableRows(log), keeps_hours=False)
        )

    def pages(
        self, desk: Desk, week: Flagged, cases: Changing, records: Records, replays: Starting
    ) -> list[object]:
        """The endpoints."""
        active = ActiveDocument(self.desk, self._reader)
        numbers = count(1)
        trials = Trials(
            self.trial_rows,
            replays,
            partial(put_proposal, self.s3, self.bucket),
            lambda: f"{next(numbers):032x}",
        )
        return [
            RulesPages(desk, self.desk, active, week, self._counts),
            EditorPages(desk, self.desk, active, self._reader, trials),
            ChangePages(desk, self.desk, active, self._reader, trials),
            TrialPages(desk, trials, records),
            ListPages(desk, self.desk, active, self._reader, cases, records),
            ModelPages(desk, active, self._reader, self._counts),
        ]

    def activate(self, document: str, at: datetime, deployment: int = 1) -> ActiveRuleset:
        """What the guardrails write when they see that a document is active."""
        data = document.encode()
        digest = document_digest(data)
        keep_ruleset(self.s3, self.bucket, digest, data)
        active = ActiveRuleset(
            changed_in=ACTIVE,
            change_key=ACTIVE,
            digest=digest,
            version="1",
            deployment=deployment,
            position=active_position(deployment, is_undone=False),
            since=at,
        )
        self.rows.put_active(active)
        return active

    def put_trial(self, key: FlaggedKey, at: datetime) -> str:
        """Store what a trial found, which names a payment; gives its id."""
        request = TryRequest(proposal="0" * 64, digest_before="0" * 12, is_candidate=False)
        assert self.trial_rows.replace(done_trial(request, key, at), None)
        return request.trial_id

    def propose(self, author: str, at: datetime, **draft: Any) -> RulesetChange:
        """Propose that the active ruleset gets entries of a list, or what ``draft`` says."""
        active = self.desk.active()
        assert active is not None
        entry = ListEntry(
            list_name="denied_cards", value="tok_secret_1234", until="2026-12-31", note="stolen"
        )
        wanted: dict[str, Any] = {"kind": ChangeKind.LISTS, "list_entries": (entry,)}
        drafted = Draft(**{"digest_before": active.digest} | (draft or wanted))
        checked = self._reader.check(drafted)
        assert checked.problems == (), checked.problems
        change = self.desk.propose(drafted, checked, author, "a better one", at)
        assert isinstance(change, RulesetChange)
        return change
