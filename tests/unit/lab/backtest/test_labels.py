"""Labels as a backtest plays them: no decision knows one before its time, and each policy for blocked payments teaches what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab.backtest.__main__ import main
from lab.backtest.deciding import Judge, JudgedPayment, Refusals
from lab.backtest.labels import Delay, LabelPlan, read_delays
from lab.backtest.outcomes import Users
from lab.datasets import DatasetError
from tests.support.backtest_samples import ENDS_AT, ruleset, sent

if TYPE_CHECKING:
    from pathlib import Path

    from contract.scored import FeatureValue
    from contract.truth import SentPayment

DAY = 24 * 60
RULES = """
version: "1"
base_currency: USD
thresholds: {review: 50, block: 90}
rules:
  - {id: large, when: amount_base > 100.0, points: 50, reason: "{amount_base:,.0f} is large."}
  - {id: huge, when: amount_base > 1000.0, points: 50, reason: "{amount_base:,.0f} is huge."}
"""
"""Reviews what is above 100 USD, blocks what is above 1,000."""


def decided(payments: list[SentPayment], plan: LabelPlan) -> list[JudgedPayment]:
    return list(Judge(ruleset(RULES), None, Users(), Refusals(), plan).judge_all(payments))


def seen(
    payments: list[SentPayment], plan: LabelPlan, name: str = "merchant_frauds_30d"
) -> list[FeatureValue]:
    """A feature of each payment."""
    return [each.decided.features[name] for each in decided(payments, plan)]


def at_shop(day: float, amount: str = "20", scenario: str | None = None) -> SentPayment:
    return sent(round(day * DAY), amount, scenario, merchant_id="shop", user_id=f"u{day}")


SEVEN_DAYS = LabelPlan((Delay(1.0, 7.0),))


def test_label_is_known_from_its_day_on_and_not_before() -> None:
    history = [at_shop(0, scenario="stolen_card"), at_shop(6.9), at_shop(7.1), at_shop(29), at_shop(31)]

    assert seen(history, SEVEN_DAYS) == [0, 0, 1, 1, 0]


def test_feature_of_a_day_is_the_same_whether_or_not_later_labels_exist() -> None:
    history = [at_shop(0, scenario="stolen_card"), at_shop(3, scenario="stolen_card"), at_shop(8)]
    later = [at_shop(9, scenario="stolen_card"), at_shop(20)]

    assert seen([*history, *later], SEVEN_DAYS)[:3] == seen(history, SEVEN_DAYS)


def test_without_a_plan_nobody_says_anything() -> None:
    history = [at_shop(0, scenario="stolen_card"), at_shop(20)]

    found = list(Judge(ruleset(RULES), None, Users(), Refusals()).judge_all(history))

    assert [each.decided.features["merchant_frauds_30d"] for each in found] == [0, 0]


@pytest.mark.parametrize(
    ("blocked", "share", "wanted"),
    [("judged", 0.0, 1), ("unlabelled", 0.0, 0), ("honest", 0.0, 0), ("sampled", 1.0, 1)],
)
def test_blocked_fraud_teaches_what_its_policy_says(blocked: str, share: float, wanted: int) -> None:
    history = [at_shop(0, "5000", "stolen_card"), at_shop(8)]
    plan = LabelPlan((Delay(1.0, 7.0),), blocked, share)  # type: ignore[arg-type]  # of the parameters

    assert seen(history, plan)[-1] == wanted


def test_of_sampled_payments_the_share_is_let_through() -> None:
    history = [sent(n, "5000", "stolen_card", merchant_id=f"m{n}", user_id=f"u{n}") for n in range(200)]
    history += [sent(8 * DAY + n, "20", merchant_id=f"m{n}", user_id=f"v{n}") for n in range(200)]

    frauds = seen(history, LabelPlan((Delay(1.0, 7.0),), "sampled", 0.1))[200:]

    assert 8 <= frauds.count(1) <= 35  # of 200, one in ten


def test_payment_that_was_reviewed_and_is_honest_ends_the_run() -> None:
    history = [
        at_shop(0, scenario="stolen_card"), at_shop(1, scenario="stolen_card"), at_shop(2, "500"), at_shop(8.5), at_shop(9.5),
    ]  # fmt: skip

    assert seen(history, SEVEN_DAYS, "merchant_fraud_run") == [0, 0, 0, 2, 0]


def test_user_s_own_frauds_are_verdicts_that_the_next_payment_applies() -> None:
    history = [at_shop(0, scenario="stolen_card"), sent(8 * DAY, "20", merchant_id="shop", user_id="u0")]

    [first, second] = decided(history, SEVEN_DAYS)

    assert first.decided.outcome.lessons.verdicts == ()
    assert [verdict.is_fraud for verdict in second.decided.outcome.lessons.verdicts] == [True]


def test_a_verdict_of_legitimate_teaches_after_a_minute_as_in_the_score_stage_and_one_of_fraud_at_once() -> (
    None
):
    known = 7 * DAY
    history = [
        sent(0, "500", merchant_id="shop", user_id="honest"),
        sent(0, "20", "stolen_card", merchant_id="shop", user_id="robbed"),
    ]
    history += [
        sent(known + minutes, "20", merchant_id="shop", user_id=user)
        for minutes in (0, 1)
        for user in ("honest", "robbed")
    ]

    applied = [
        (each.transaction.user_id, [verdict.is_fraud for verdict in each.decided.outcome.lessons.verdicts])
        for each in decided(history, SEVEN_DAYS)[2:]
    ]

    assert applied == [("honest", []), ("robbed", [True]), ("honest", [False]), ("robbed", [])]


def test_usual_share_of_fraud_is_that_of_all_payments_of_thirty_days() -> None:
    history = [
        sent(n, "20", "stolen_card" if n < 5 else None, merchant_id=f"m{n}", user_id=f"u{n}")
        for n in range(50)
    ]
    history.append(sent(9 * DAY, "20", merchant_id="m", user_id="v"))

    assert seen(history, SEVEN_DAYS, "usual_fraud_rate_30d")[-1] == pytest.approx(0.1)


def test_usual_share_of_fraud_is_of_payments_that_were_made_on_the_same_days() -> None:
    """Frauds of a minute before midnight that arrive after it: 31 days later neither they nor their labels count."""
    old = [sent(329, "20", "stolen_card", merchant_id=f"m{n}", user_id=f"u{n}") for n in range(40)]
    arrived_at = ENDS_AT + timedelta(minutes=332)
    late = [msgspec.structs.replace(each, appended_at=arrived_at) for each in old]
    counted = [
        sent(DAY + n, "20", "stolen_card" if n < 2 else None, merchant_id=f"n{n}", user_id=f"v{n}")
        for n in range(10)
    ]
    last = sent(30 * DAY + 340, "20", merchant_id="m", user_id="w")

    assert seen([*late, *counted, last], SEVEN_DAYS, "usual_fraud_rate_30d")[-1] == pytest.approx(0.2)


def test_labels_of_a_file_come_from_each_source_by_its_share(tmp_path: Path) -> None:
    file = tmp_path / "delays.yaml"
    file.write_text("customer: {share: 0.5, days: 1}\nchargeback: {share: 0.3, days: 20}\n")
    history = [sent(n, "20", "stolen_card", merchant_id=f"m{n}", user_id=f"u{n}") for n in range(200)]
    history += [sent(2 * DAY + n, "20", merchant_id=f"m{n}", user_id=f"v{n}") for n in range(200)]
    history += [sent(25 * DAY + n, "20", merchant_id=f"m{n}", user_id=f"w{n}") for n in range(200)]

    frauds = seen(history, LabelPlan(read_delays(file)))

    assert 80 <= frauds[200:400].count(1) <= 120
    assert 140 <= frauds[400:].count(1) <= 178


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("customer: {share: 0.7, days: 1}\nbank: {share: 0.4, days: 1}", "sum to 1.1"),
        ("customer: {share: 2, days: 1}", "share"),
        ("customer: {share: 0.5, days: -1}", "days"),
        ("customer: {share: 0.5}", "days"),
        ("customer: {share: 0.5, days: 1, day: 2}", "day"),
        ("{}", "at least one source"),
        ("a: b: c", "mapping values"),
    ],
)
def test_file_of_delays_that_cannot_be_used_is_refused_by_its_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "delays.yaml"
    file.write_text(text)

    with pytest.raises(DatasetError, match=problem):
        read_delays(file)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--blocked", "maybe"],
        ["--blocked", "sampled:2"],
        ["--blocked", "sampled:"],
        ["--label-delay-days", "-1"],
    ],
)
def test_option_that_means_nothing_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)

    assert arguments[1] in capsys.readouterr().err
