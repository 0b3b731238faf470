"""Where people decide on cases: a decision, its labels and the step of its case are written together, then the labels are sent.

All of it is one transaction, so no decision is lost or half made. Each label waits in ``pending_labels`` until the label stage has
finished it; one that does not reach the queue now is sent by the function `label_upkeep` within minutes. A form that is sent twice is one
decision, and a label that is sent twice is one label.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.cases import MAX_ATTEMPTS, CaseContentionError, Write
from common.failures import describe_failure
from common.label_sender import UnsentLabelsError
from contract.case import Judgement
from contract.case_decision import (
    MAX_DECIDED,
    ApprovedPayment,
    CaseDecision,
    DecidedPayment,
    before_contest,
    half_contested,
    labels_of,
    part_id,
    withdrawals_of,
)
from contract.case_outcome import (
    is_contest_left,
    is_in_flight,
    outcome_of,
    release_of,
    released_before,
    with_counted,
)
from contract.case_work import Refusal, close, contest, holder, keep, stay_closed, undo, with_decision
from contract.label_message import encode_label_message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from common.backoff import Backoff
    from common.decision_tables import DecisionTables
    from common.failures import FailureLog
    from contract.case import Case, CaseKey
    from contract.case_decision import Ruling
    from contract.case_outcome import CaseRow, Earlier, Release
    from contract.label import IdentifiedLabel
    from contract.person_day import PersonDay


class WithdrawalStep(Protocol):
    """What becomes of a case whose decision is undone."""

    def __call__(
        self, case: Case, decision: CaseDecision, others: Collection[CaseDecision], /
    ) -> Case | Refusal:
        """Make the step; ``others`` are the other decisions that hold."""
        ...


class ReleaseLimits(NamedTuple):
    """From how much money that is called legitimate a second person is to look at a case, major units of its base currency."""

    user: Decimal
    """In all of a user's cases that count together; and by one form."""
    person_day: Decimal
    """By one person in a day, UTC, whoever the users are: what is more is looked at, case by case."""


class Part(NamedTuple):
    """What one decision of a form is about."""

    decision_id: str
    event_keys: tuple[str, ...]
    """Of the case."""
    approved: tuple[ApprovedPayment, ...]

    @property
    def labelled_keys(self) -> tuple[str, ...]:
        """Keys of all its payments."""
        return (*self.event_keys, *(each.event_key for each in self.approved))


class CaseVerdicts:
    """The tables, by the calls with which people decide.

    Parameters
    ----------
    tables : DecisionTables
        Cases, decisions, payments, and labels that wait.
    send : Callable
        Sends messages of the labels queue (:meth:`common.label_sender.LabelSender.send`).
    limits : ReleaseLimits
        From how much money that is called legitimate a second person is to look at a case.
    backoff : Backoff
        Waits between attempts to change a case.
    log : FailureLog
        Gets a line where labels were not sent.
    """

    def __init__(
        self,
        tables: DecisionTables,
        send: Callable[[Sequence[bytes]], None],
        limits: ReleaseLimits,
        backoff: Backoff,
        log: FailureLog,
    ) -> None:
        self._tables = tables
        self._send_messages = send
        self._limits = limits
        self._backoff = backoff
        self._log = log

    def decide(
        self,
        key: CaseKey,
        decision_id: str,
        event_keys: Collection[str],
        ruling: Ruling,
        analyst: str,
        now: datetime,
        approved: Collection[ApprovedPayment] = (),
        released_elsewhere: Decimal = Decimal(0),
    ) -> Case | Refusal:
        """Decide on payments of a case that this person has. With the last undecided payment the case is closed.

        Parameters
        ----------
        key : CaseKey
            The case's.
        decision_id : str
            Made with the form. After an error the same call is made again, and goes on where it was interrupted.
        event_keys : Collection[str]
            The payments of the case that this person has seen. A payment that has joined since stays undecided, and the case open.
        ruling : Ruling
            What is said about each.
        analyst : str
            Who decides.
        now : datetime
            The clock, UTC.
        approved : Collection[ApprovedPayment]
            Payments of the case's user that are in no case, which are judged together with it; the caller has read them in the history.
        released_elsewhere : Decimal
            What the same form has released in other cases without a second look.

        Returns
        -------
        Case | Refusal
            As it is stored now; or why nothing was decided. More than :data:`contract.case_decision.MAX_DECIDED` payments are decided on in
            parts, and a refusal of a later part leaves the earlier ones decided.

        Raises
        ------
        ValueError
            Without payments, or with a ``decision_id`` that :func:`contract.case_decision.part_id` refuses.
        InvalidRowError
            Where a row cannot be read.
        CaseContentionError, ClientError, BotoCoreError
            When others kept changing the case, or DynamoDB did not answer or refused a request, after retries. Whether the decision was
            made is not known then.
        """
        beside = {each.event_key: each for each in approved}
        # The approved ones come first: the last of the others closes the case.
        chosen = [*sorted(beside), *sorted({*event_keys} - beside.keys())]
        if not chosen:
            raise ValueError("event_keys: none")
        for number, keys in enumerate(_parts(chosen, MAX_DECIDED)):
            part = Part(
                part_id(decision_id, number),
                tuple(one for one in keys if one not in beside),
                tuple(beside[one] for one in keys if one in beside),
            )
            decide = partial(self._decide_once, key, part, ruling, analyst, now, released_elsewhere)
            found = self._repeat(decide)
            if isinstance(found, Refusal):
                return found
        return found

    def undo(self, key: CaseKey, decision_id: str, analyst: str, now: datetime) -> Case | Refusal:
        """Take a decision back, within :data:`contract.case_work.UNDO`: its labels are withdrawn, and a case that it closed is open again.

        Returns and raises as :meth:`decide`; ``gone`` where there is no such decision.
        """
        case = self._tables.case(key)
        if case is None:
            return Refusal.GONE
        made = [decision for decision in self._tables.decisions(case) if decision.form_id == decision_id]

        def step(case: Case, decision: CaseDecision, others: Collection[CaseDecision]) -> Case | Refusal:
            return undo(case, decision, others, analyst, now)

        return self._withdraw(key, made, analyst, now, step)

    def contest(self, key: CaseKey, analyst: str, reason: str, now: datetime) -> Case | Refusal:
        """Take a case over as its second person: the labels that call payments legitimate are withdrawn, and this person has it.

        What others called fraud stays so until this person calls it legitimate, at which a third person looks.

        Returns and raises as :meth:`decide`; ``gone`` where nobody has called anything legitimate.
        """
        case = self._tables.case(key)
        if case is None:
            return Refusal.GONE
        made = self._tables.decisions(case)
        releases = [decision for decision in made if decision.is_release]
        remaining = [decision for decision in releases if decision.undone_at is None]
        left = half_contested(made)
        is_begun = bool(left) and not case.is_closed
        if is_begun and any(decision.analyst == analyst for decision in before_contest(made)):
            return Refusal.SAME_PERSON

        def step(case: Case, _decision: CaseDecision, others: Collection[CaseDecision]) -> Case | Refusal:
            return contest(case, others, analyst, reason, now, is_begun=is_begun)

        return self._withdraw(key, left if is_begun else remaining or releases, analyst, now, step)

    def _repeat(self, attempt: Callable[[], Case | Refusal | None]) -> Case | Refusal:
        """Try until nobody else was faster."""
        for number in range(MAX_ATTEMPTS):
            found = attempt()
            if found is not None:
                return found
            self._backoff.pause(number)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _decide_once(
        self,
        key: CaseKey,
        part: Part,
        ruling: Ruling,
        analyst: str,
        now: datetime,
        released_elsewhere: Decimal,
    ) -> Case | Refusal | None:
        """Decide on one part; None where somebody else was faster."""
        # The case is read first. Whatever changes what its rows say after that writes the case too, and its version refuses this write.
        case = self._tables.case(key)
        if case is None:
            return Refusal.GONE
        earlier = self._tables.decisions(case)
        made = next((decision for decision in earlier if decision.decision_id == part.decision_id), None)
        if made is not None:
            if not made.says_the_same(analyst, ruling, part.labelled_keys):
                return Refusal.OTHER_DECISION
            if made.undone_at is not None:
                return Refusal.UNDONE
            self._send(labels_of(made))
            return case
        kept = keep(case, analyst, now)
        if isinstance(kept, Refusal):
            return kept
        in_flight = [decision for decision in earlier if is_in_flight(decision, now)]
        rows = self._tables.rows(case)
        if not rows.keys() >= {*part.event_keys} or any(each.event_key in rows for each in part.approved):
            return Refusal.MOVED
        payments = tuple(DecidedPayment(one, rows[one].transaction_id) for one in part.event_keys)
        decision = CaseDecision(
            case_id=case.case_id,
            decision_id=part.decision_id,
            user_id=case.user_id,
            analyst=analyst,
            decided_at=now,
            ruling=ruling,
            payments=payments,
            amount_base=sum((rows[one].amount_in(case) for one in part.event_keys), Decimal(0)),
            approved=part.approved,
            expires_at=case.expires_at,
        )
        outcome = outcome_of(case, rows, in_flight, decision)
        after = kept
        if outcome.verdict is not None:
            closed = close(case, analyst, outcome.verdict, now)
            if isinstance(closed, Refusal):
                return closed
            after, decision = closed, msgspec.structs.replace(decision, has_closed=True)
        released, day = self._released(case, rows, earlier, decision, released_elsewhere)
        is_left = is_contest_left(rows, (*earlier, decision))
        after = with_decision(after, analyst, released, now, is_contest_left=is_left)
        if case.second_look is not None and after.second_look is None:
            decision = msgspec.structs.replace(decision, ended_look=case.second_look)
        if not self._tables.add(decision, after, day):
            return None
        self._send(labels_of(decision))
        return after

    def _released(
        self,
        case: Case,
        rows: Mapping[str, CaseRow],
        earlier: Sequence[CaseDecision],
        decision: CaseDecision,
        released_elsewhere: Decimal,
    ) -> tuple[Release | None, PersonDay | None]:
        """Count what a decision releases: for a second person, or to what its analyst has released today without one."""
        if not decision.is_release:
            return None, None
        now = decision.decided_at
        before = released_before(self._tables.earlier(case), case.base_currency, now)
        day = self._tables.person_day(decision.analyst, case.base_currency, now).plus(decision.worth_base)
        limit, by_form = self._limits.user, released_elsewhere + decision.worth_base
        if day.amount_base > self._limits.person_day or (released_elsewhere and by_form >= limit):
            limit = Decimal(0)
        elsewhere = self._decided_elsewhere(case, before, decision)
        released = release_of(case, rows, earlier, decision, before, limit, elsewhere)
        return released, day if released is None else None

    def _decided_elsewhere(self, case: Case, before: Earlier, decision: CaseDecision) -> list[CaseDecision]:
        """Read what holds of the user's earlier cases, the earliest first: of those that count, and of all where approved payments are judged."""
        cases = [*self._tables.earlier(case)] if decision.approved else before.cases
        made = (each for one in reversed(cases) for each in self._tables.decisions(one))
        return [each for each in made if each.undone_at is None]

    def _withdraw(
        self,
        key: CaseKey,
        decisions: Sequence[CaseDecision],
        analyst: str,
        now: datetime,
        step: WithdrawalStep,
    ) -> Case | Refusal:
        """Undo decisions, the latest first: it may have closed the case."""
        found: Case | Refusal = Refusal.GONE
        for decision in reversed(decisions):
            found = self._repeat(partial(self._withdraw_once, key, decision, analyst, now, step))
            if isinstance(found, Refusal):
                return found
        return found

    def _withdraw_once(
        self,
        key: CaseKey,
        decision: CaseDecision,
        analyst: str,
        now: datetime,
        step: WithdrawalStep,
    ) -> Case | Refusal | None:
        """Undo one decision; None where somebody else was faster."""
        case = self._tables.case(key)
        if case is None:
            return Refusal.GONE
        made = self._tables.decisions(case)
        stored = next((one for one in made if one.key == decision.key), None)
        if stored is None:
            return Refusal.GONE
        decision = stored
        others = [one for one in made if one.undone_at is None and one.key != decision.key]
        after = step(case, decision, others)
        if isinstance(after, Refusal):
            return after
        if decision.undone_at is not None:
            if after is not case and holder(case, now) != analyst:
                return Refusal.NOT_DUE  # nothing is left to withdraw, and the step was not made
            self._send(withdrawals_of(decision))
            return case
        decision = msgspec.structs.replace(decision, undone_by=analyst, undone_at=now)
        written = self._tables.withdraw(decision, case, after, (), now)
        if written is Write.SUPERSEDED:
            # The case stays closed. A row that is undecided though its case has counted it as decided moves to the newer case, so
            # those whose labels are on their way are counted first: their rows might never say what the labels said.
            rows = [row for row in self._tables.rows(case).values() if row.event_key in decision.event_keys]
            uncounted = [row for row in rows if row.case_judgement is Judgement.UNDECIDED]
            after = stay_closed(with_counted(case, uncounted, decision.ruling), after.second_look)
            written = self._tables.withdraw(decision, case, after, uncounted, now)
        if written is not Write.WRITTEN:
            return None
        self._send(withdrawals_of(decision))
        return after

    def _send(self, messages: Sequence[IdentifiedLabel]) -> None:
        try:
            self._send_messages([encode_label_message(message) for message in messages])
        except (UnsentLabelsError, ClientError, BotoCoreError) as error:
            # They wait in pending_labels, from where label_upkeep sends them.
            self._log.error("Labels were not sent and will be sent later", extra=describe_failure(error))


def _parts(keys: Sequence[str], size: int) -> list[Sequence[str]]:
    return [keys[first : first + size] for first in range(0, len(keys), size)]
