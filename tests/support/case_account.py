"""Compares cases with the flagged rows that they are made of. Pure."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from contract.canary import is_canary
from contract.case import Case, Judgement, alert_link, linked_entities

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.flagged import FlaggedTransaction


def case_problems(
    rows: Iterable[FlaggedTransaction], cases: Iterable[Case], links: set[tuple[str, str]]
) -> list[str]:
    """Find where cases do not say what the rows say, when every record of the rows was handled and no person has closed a case.

    Parameters
    ----------
    rows : Iterable[FlaggedTransaction]
        All of some users, fewer than a case can have entities.
    cases : Iterable[Case]
        All of these users.
    links : set[tuple[str, str]]
        Entity or alert, and case.

    Returns
    -------
    list[str]
        One sentence for each problem.
    """
    by_id = {case.case_id: case for case in cases}
    rows_by_case = defaultdict(list)
    problems = []
    for row in rows:
        if is_canary(row.user_id):
            continue
        if row.case_id not in by_id:
            problems.append(f"{row.key}: in no case")
        rows_by_case[row.case_id].append(row)
    problems += _wrong_numbers(by_id.values())
    for case_id, case in by_id.items():
        problems += [
            f"case {case_id}: {problem}" for problem in _problems(case, rows_by_case[case_id], links)
        ]
    return problems


def _wrong_numbers(cases: Iterable[Case]) -> Iterator[str]:
    by_owner = defaultdict(list)
    for case in cases:
        by_owner[case.case_owner].append(case)
    for owner, of_user in by_owner.items():
        of_user.sort(key=lambda case: case.case_number)
        if [case.case_number for case in of_user] != list(range(1, len(of_user) + 1)):
            yield f"cases of {owner}: their numbers have gaps"
        if not all(case.is_closed for case in of_user[:-1]):
            yield f"cases of {owner}: one that is not the newest is not closed"


def _problems(case: Case, rows: list[FlaggedTransaction], links: set[tuple[str, str]]) -> Iterator[str]:
    if {row.user_id for row in rows} - {case.user_id}:
        yield "has payments of another user"
    for judgement in Judgement:
        counted = [row for row in rows if Judgement.of(row.status) is judgement]
        tally = getattr(case, judgement.value)
        amount = sum((row.amount_base or Decimal(0) for row in counted), Decimal(0))
        if (tally.payments, tally.amount_base) != (len(counted), amount):
            yield f"counts {tally} as {judgement}, and must count {len(counted)} with {amount}"
    if case.unpriced != sum(row.amount_base is None for row in rows):
        yield f"has {case.unpriced} payments without a rate"
    if case.is_closed != (case.undecided.payments == 0):
        yield f"is {case.status} with {case.undecided.payments} undecided payments"
    if not {row.event_key for row in rows} >= {kept.event_key for kept in case.payments}:
        yield "names a payment that is not in it"
    if not {name for row in rows for name in linked_entities(row)} <= set(case.entities):
        yield "misses an entity"
    alert_ids = {row.reported_by for row in rows if row.reported_by is not None}
    wanted = {*case.entities, *map(alert_link, alert_ids)}
    if not {(name, case.case_id) for name in wanted} <= links:
        yield "misses a link"
