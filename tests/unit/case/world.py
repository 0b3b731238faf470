"""The case stage's tables in dicts, and a worker that can crash at any call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from case.fold import UserCases, marks_of
from case.recount import UserRows
from case.stage import CaseStage
from common.cases import cases_backoff
from contract.case import Case, CaseKey, owner_of, parse_case_id
from contract.flagged import FlaggedKey, FlaggedTransaction, to_flagged_item
from tests.support.case_store_contract import LIMITS
from tests.support.crashes import make_crashes
from tests.support.payments import NOW, Log, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from case.fold import Change
    from case.recount import Recount
    from contract.case_decision import CaseDecision


class Crash(BaseException):
    """The worker crashed: no exception handler catches it."""


class DictCaseTables:
    """The tables; also a :class:`case.stage.CaseStore` of itself."""

    def __init__(self) -> None:
        self.flagged_rows: dict[FlaggedKey, FlaggedTransaction] = {}
        self.case_rows: dict[CaseKey, Case] = {}
        self.link_rows: set[tuple[str, str]] = set()
        self.decision_rows: list[CaseDecision] = []

    @property
    def store(self) -> DictCaseTables:
        """Itself."""
        return self

    def put(self, flagged: FlaggedTransaction) -> None:
        self.flagged_rows[flagged.key] = flagged

    def rows(self) -> list[FlaggedTransaction]:
        return list(self.flagged_rows.values())

    def cases(self) -> list[Case]:
        return [case for _, case in sorted(self.case_rows.items())]

    def links(self) -> set[tuple[str, str]]:
        return set(self.link_rows)

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        return self.flagged_rows.get(key)

    def cases_of(self, flagged: FlaggedTransaction) -> UserCases:
        owner = owner_of(flagged.user_id)
        newest = max((key for key in self.case_rows if key.case_owner == owner), default=None)
        own = None if flagged.case_id is None else self.case_rows.get(parse_case_id(flagged.case_id))
        return UserCases(own, None if newest is None else self.case_rows[newest])

    def write(self, key: FlaggedKey, change: Change) -> bool:
        row = self.flagged_rows.get(key)
        if row is None or marks_of(row) != change.before:
            return False
        if any(self._version(case.key) != case.version - 1 for case in change.cases):
            return False
        closed, case = change.closed, change.case
        if closed is not None and self._version(closed.key) != closed.version:
            return False
        if change.is_reopened and CaseKey(case.case_owner, case.case_number + 1) in self.case_rows:
            return False
        self.case_rows |= {case.key: case for case in change.cases}
        self.link_rows |= {(name, case.case_id) for name in change.links}
        self.put(msgspec.structs.replace(row, **change.after._asdict()))
        return True

    def all_of(self, user_id: str) -> UserRows:
        cases = [case for case in self.cases() if case.user_id == user_id]
        rows = [row for row in self.rows() if row.user_id == user_id]
        return UserRows(cases, rows, {case.case_id: self.decisions(case) for case in cases})

    def decisions(self, case: Case) -> list[CaseDecision]:
        return [each for each in self.decision_rows if each.case_id == case.case_id]

    def put_decision(self, decision: CaseDecision) -> None:
        self.decision_rows.append(decision)

    def rewrite(self, recount: Recount) -> bool:
        case = recount.after
        if self._version(case.key) != case.version - 1:
            return False
        if recount.is_reopened and CaseKey(case.case_owner, case.case_number + 1) in self.case_rows:
            return False
        self.case_rows[case.key] = case
        return True

    def link(self, recount: Recount) -> None:
        self.link_rows |= {(name, recount.after.case_id) for name in recount.links}

    def _version(self, key: CaseKey) -> int:
        return self.case_rows[key].version if key in self.case_rows else 0


class Worker:
    """A case stage on shared tables; ``at`` maps the number of a call to what happens just after it, from 0."""

    def __init__(self, tables: DictCaseTables, at: dict[int, Callable[[], None]] | None = None) -> None:
        self.tables = tables
        self.at = at or {}
        self.calls = 0
        self.metrics = Metrics()
        self.log = Log()
        self.waits: list[float] = []
        self.stage = CaseStage(
            self,
            LIMITS,
            self.metrics,
            self.log,
            make_crashes(),
            lambda: NOW,
            cases_backoff(self.waits.append, lambda: 0.5),
        )

    def take(self, flagged: FlaggedTransaction) -> None:
        """Handle one record of the stream: the row after a change."""
        self.stage.take(to_flagged_item(flagged))

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        row = self.tables.flagged(key)
        self._called()
        return row

    def cases_of(self, flagged: FlaggedTransaction) -> UserCases:
        cases = self.tables.cases_of(flagged)
        self._called()
        return cases

    def write(self, key: FlaggedKey, change: Change) -> bool:
        is_written = self.tables.write(key, change)
        self._called()
        return is_written

    def all_of(self, user_id: str) -> UserRows:
        stored = self.tables.all_of(user_id)
        self._called()
        return stored

    def decisions(self, case: Case) -> list[CaseDecision]:
        made = self.tables.decisions(case)
        self._called()
        return made

    def rewrite(self, recount: Recount) -> bool:
        is_written = self.tables.rewrite(recount)
        self._called()
        return is_written

    def link(self, recount: Recount) -> None:
        self.tables.link(recount)
        self._called()

    def _called(self) -> None:
        happening = self.at.get(self.calls)
        self.calls += 1
        if happening is not None:
            happening()


def crash() -> None:
    """End the worker."""
    raise Crash
