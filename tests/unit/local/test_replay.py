"""`make replay` reads rows of a user or of a time, and their rulesets from the bucket, and fails where a decision differs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.scored import HISTORY_TABLE, Position, to_history_item
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from local import replay
from tests.support.moto_aws import aws
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.rule_samples import TWO_RULES
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.scored import ScoredTransaction

from engine.rules.ruleset import parse_ruleset

__all__ = ["aws"]

RULES = parse_ruleset(TWO_RULES)
ARGUMENTS = ["--table", HISTORY_TABLE, "--bucket", "rules"]


@pytest.fixture
def rows(aws: Callable[[str], Any]) -> list[ScoredTransaction]:
    """Six payments of one user in the table, and their ruleset in the bucket."""
    make_table(aws("dynamodb"), HISTORY_TABLE)
    aws("s3").create_bucket(Bucket="rules")
    aws("s3").put_object(Bucket="rules", Key=f"rulesets/{RULES.digest}", Body=TWO_RULES.encode())
    profile, rows = Profile(), []
    for number in range(6):
        at = NOW + timedelta(minutes=number)
        facts = trusted_facts(make_grocery_payment(transaction_id=f"t-{number}", timestamp=at))
        decided, position = decide(facts, profile, RULES), Position("t", 0, number)
        rows.append(
            scored_transaction(facts, decided, RULES, position, at, at, profile_version=profile.tx_count)
        )
        profile.fold(facts, decided.outcome, position)
    for row in rows:
        _put(aws, row)
    return rows


def _put(aws: Callable[[str], Any], row: ScoredTransaction) -> None:
    item: dict[str, Any] = to_history_item(row, 2_000_000_000)
    item["features"] = {"B": row.features}
    aws("dynamodb").put_item(TableName=HISTORY_TABLE, Item=item)


def test_a_users_decisions_are_made_again_from_rows_and_from_the_first_payment_on(
    rows: list[ScoredTransaction], capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay.main(["--user", rows[0].transaction.user_id, *ARGUMENTS]) == 0

    printed = capsys.readouterr().out
    assert printed.count("6 decisions made again from their rows: 0 differ.") == 2


def test_rows_of_a_time_are_made_again(
    rows: list[ScoredTransaction], capsys: pytest.CaptureFixture[str]
) -> None:
    since, until = rows[1].scored_at.isoformat(), rows[3].scored_at.isoformat()

    assert replay.main(["--from", since, "--to", until, *ARGUMENTS]) == 0

    assert capsys.readouterr().out == "3 decisions made again from their rows: 0 differ.\n"


def test_a_row_that_somebody_changed_is_named(
    rows: list[ScoredTransaction], aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _put(aws, msgspec.structs.replace(rows[2], risk_score=99))

    assert replay.main(["--from", "2020-01-01", *ARGUMENTS]) == 1

    printed = capsys.readouterr().out
    assert "6 decisions made again from their rows: 1 differ." in printed
    assert f"{rows[2].event_key}\n  risk_score: stored 99, computed {rows[2].risk_score}" in printed


def test_a_ruleset_that_is_not_kept_is_said(
    rows: list[ScoredTransaction], aws: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert rows
    aws("s3").delete_object(Bucket="rules", Key=f"rulesets/{RULES.digest}")

    assert replay.main(["--from", "2020-01-01", *ARGUMENTS]) == 1

    assert (
        f"6 could not be made again: the rules bucket has no ruleset {RULES.digest}"
        in capsys.readouterr().out
    )


def test_without_a_user_or_a_time_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(ARGUMENTS) == 1

    assert capsys.readouterr().err == "Name a user with USER=, or a time with FROM= and TO=.\n"
