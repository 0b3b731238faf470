from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec
import pytest

from contract.side import Side
from contract.truth import SentPayment
from engine.rules.ruleset import parse_ruleset
from lab.backtest import Backtest, run, run_backtest
from lab.backtest.__main__ import main
from lab.backtest.printing import as_text
from simulator import SimulationConfig, simulate
from tests.support.backtest_samples import ENDS_AT, RULES, ruleset, sent
from tests.support.rule_samples import candidate_of


@cache
def simulated() -> Backtest:
    default = parse_ruleset(Path("rules/default.yaml").read_text(), "rules/default.yaml")
    config = SimulationConfig(seed=7, transactions=6_000, users=150, fraud_rate=0.02, ends_at=ENDS_AT)
    return run_backtest(simulate(config), default)


def test_decisions_are_compared_with_the_truth() -> None:
    history = [
        sent(1, "150", "structuring"), sent(2, "20", "structuring"), sent(3, "150"), sent(4, "20"),
    ]  # fmt: skip

    backtest = run_backtest(history, ruleset())

    assert (backtest.report.precision, backtest.report.recall) == (0.5, 0.5)
    assert backtest.report.incidents_detected == 1
    assert [each.payment.transaction_id for each in backtest.false_alarms] == ["t3"]
    assert backtest.missed == ()


def test_missed_fraud_is_that_of_incidents_without_any_flag() -> None:
    backtest = run_backtest([sent(1, "50", "structuring"), sent(2, "20")], ruleset())

    assert [each.payment.transaction_id for each in backtest.missed] == ["t1"]


def test_missed_fraud_counts_even_where_there_is_no_room_to_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_MAX_APPROVED_FRAUD", 2)
    found_late = [sent(n, "20", "structuring", "found") for n in range(3)]
    missed = [sent(n, "20", "structuring", "missed") for n in range(10, 14)]

    backtest = run_backtest([*found_late, sent(5, "150", "structuring", "found"), *missed], ruleset())

    # t0 and t1 take the room until they are checked, and are released then.
    assert backtest.missed_count == 4
    shown = [each.payment.transaction_id for each in backtest.missed]
    assert set(shown) <= {each.transaction_id for each in missed}
    assert shown


def test_what_is_shown_is_bounded_and_all_of_it_counts() -> None:
    honest = [sent(n, "150") for n in range(50)]
    approved = [sent(n, "20", "structuring", None) for n in range(100, 150)]

    backtest = run_backtest([*honest, *approved], ruleset())

    assert (backtest.missed_count, len(backtest.missed)) == (50, run.MAX_SHOWN)
    assert (backtest.false_alarm_count, len(backtest.false_alarms)) == (50, run.MAX_SHOWN)


def test_profiles_grow_with_each_payment_and_shadow_rules_are_counted() -> None:
    backtest = run_backtest([sent(n, "150", "structuring") for n in range(3)], ruleset())

    assert backtest.rule_hits == {"large": (3, 0), "second": (1, 0)}


def test_a_document_with_a_candidate_decides_for_each_user_by_the_users_side() -> None:
    rules = candidate_of({"id": "small", "when": "amount < 100.0", "points": 45}, share=50)
    history = [sent(n, "20", "structuring", None, user_id=f"u{n}") for n in range(60)]

    backtest = run_backtest(history, rules)

    assert rules.candidate is not None
    drawn = sum(rules.candidate.draw.side_of(f"u{n}") is Side.CANDIDATE for n in range(60))
    assert 0 < drawn < 60
    assert (backtest.rule_hits, backtest.missed_count) == ({"small": (drawn, 0)}, 60 - drawn)


def test_invalid_records_and_repeats_are_counted_and_change_nothing() -> None:
    good = sent(1, "150", "structuring")
    bad = [sent(2, "-1"), SentPayment(record={}, raw=b"not json"), good]

    backtest = run_backtest([good, *bad], ruleset())

    assert (backtest.invalid, backtest.repeats, backtest.refunds) == (1, 1, 1)
    assert backtest.report.transactions == 1
    assert "1 records are not valid, 1 repeat others, 1 are refunds" in as_text(backtest)


def test_the_default_rules_find_most_attacks_with_few_false_alarms() -> None:
    report = simulated().report

    assert report.incidents_detected >= 0.7 * report.incidents
    assert report.recall is not None
    assert report.recall > 0.6
    assert report.precision is not None
    assert report.precision > 0.6
    assert report.false_positive_rate is not None
    assert report.false_positive_rate < 0.01


def test_the_command_prints_figures_and_what_was_missed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rules, data = tmp_path / "rules.yaml", tmp_path / "data.jsonl"
    rules.write_text(RULES)
    rows = [sent(1, "50"), sent(2, "150")]
    data.write_bytes(
        b"\n".join(msgspec.json.encode(row.record | {"is_fraud": n == 0}) for n, row in enumerate(rows))
    )

    main(
        [
            "--rules",
            str(rules),
            "--data",
            str(data),
            "--missed",
            "--false-alarms",
            "--plot",
            str(tmp_path / "p.svg"),
        ]
    )

    out = capsys.readouterr().out
    assert "2 decided, 1 fraud, 1 flagged" in out
    assert "missed incidents: 1" in out
    assert "false alarms: 1" in out
    assert "large +50" in out


def test_a_bad_ruleset_or_data_set_ends_the_command_with_what_is_wrong(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES.replace("amount_base >", "amount_bass >"))

    with pytest.raises(SystemExit, match="amount_bass"):
        main(["--rules", str(rules), "--transactions", "1"])
    with pytest.raises(SystemExit, match=r"none\.csv"):
        main(["--data", str(tmp_path / "none.csv")])
