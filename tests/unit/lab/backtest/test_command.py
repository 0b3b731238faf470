from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab.backtest.__main__ import main
from tests.support.backtest_samples import RULES, sent

if TYPE_CHECKING:
    from pathlib import Path

    from contract.truth import SentPayment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "other.yaml").write_text(RULES.replace("> 100.0", "> 10.0").replace('"1"', '"2"'))
    return tmp_path


def write(folder: Path, payments: list[SentPayment], *, is_labelled: bool = True) -> Path:
    lines = [
        msgspec.json.encode(each.record | ({"is_fraud": each.truth.is_fraud} if is_labelled else {}))
        for each in payments
    ]
    data = folder / "data.jsonl"
    data.write_bytes(b"\n".join(lines))
    return data


def run(folder: Path, *arguments: str) -> None:
    main(
        [
            "--rules", str(folder / "rules.yaml"), "--data", str(folder / "data.jsonl"),
            "--plot", str(folder / "plot.svg"), *arguments,
        ]
    )  # fmt: skip


HISTORY = [sent(1, "50"), sent(2, "150", "stolen_card"), sent(3, "20", user_id="v")]


def test_measures_plot_and_scores_are_printed_and_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, HISTORY)
    out = folder / "new" / "scores.csv"

    run(folder, "--out", str(out))

    text = capsys.readouterr().out
    row = f"{'   50 review':<14} {1:>9} {1.0:>11} {'100.0%':>10} {'100.0%':>8} {'100.0%':>13}"
    assert row in text.splitlines()
    assert "average precision: 1.000 (a ranking by chance 0.333)" in text
    assert "card precision at 100: 0.010 (the best ranking 0.010)" in text
    assert "alerts a day 1.0, 500.00 for 1,000 users (2 users, 1 days)" in text
    assert f"plot: {folder / 'plot.svg'}" in text
    assert f"scores: {out}" in text
    assert (folder / "plot.svg").read_text().startswith("<?xml")
    assert [row["transaction_id"] for row in csv.DictReader(out.open())] == ["t1", "t2", "t3"]


def test_without_labels_it_says_so_and_reports_alerts_only(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, HISTORY, is_labelled=False)

    run(folder)

    text = capsys.readouterr().out
    assert "3 decided, 1 flagged" in text
    assert "No labels: which payments were fraud is not known" in text
    assert f"{'   50 review':<14} {1:>9} {1.0:>11}" in text.splitlines()
    assert f"{'large':<38} {1:>9}" in text.splitlines()
    for word in ("average precision", "card precision", "recall 1", "honest", "%"):
        assert word not in text


def test_two_rulesets_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, HISTORY)

    run(folder, "--against", str(folder / "other.yaml"))

    text = capsys.readouterr().out
    assert "both flag 1 payments" in text
    assert f"flagged by ruleset 1 ({folder / 'rules.yaml'}) alone: 0 payments" in text
    assert f"flagged by ruleset 2 ({folder / 'other.yaml'}) alone: 2 payments (0 fraud), 70 in value" in text


def test_a_limit_reads_the_first_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, HISTORY)

    run(folder, "--limit", "2")

    assert "2 decided, 1 fraud, 1 flagged" in capsys.readouterr().out


def test_a_run_without_a_valid_row_fails_and_says_what_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, [sent(1, "nan"), sent(2, "-2")])

    with pytest.raises(SystemExit) as stopped:
        run(folder)

    assert stopped.value.code == (
        f"{folder / 'data.jsonl'}: none of 2 rows is a valid payment, 1 are refunds. "
        "The first: data.jsonl, line 1: amount: not a decimal number"
    )
    assert capsys.readouterr().out == ""
    assert not (folder / "plot.svg").exists()


def test_a_run_without_payments_fails(folder: Path) -> None:
    with pytest.raises(SystemExit, match="seed 7: there are no payments"):
        main(["--rules", str(folder / "rules.yaml"), "--transactions", "0"])


def test_what_cannot_be_read_or_written_ends_the_command_with_what_is_wrong(folder: Path) -> None:
    write(folder, HISTORY)

    with pytest.raises(SystemExit, match=r"none\.yaml"):
        run(folder, "--against", str(folder / "none.yaml"))
    with pytest.raises(SystemExit, match="Is a directory"):
        run(folder, "--out", str(folder))
    with pytest.raises(SystemExit):
        run(folder, "--limit", "0")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--map", "m.yaml", "--limit", "2"], "--limit, --map: only together with --data"),
        (["--blocked", "honest"], "--blocked: only together with --label-delay-days or --label-delays"),
        (["--label-delay-days", "7", "--label-delays", "delays.yaml"], "--label-delays: not allowed with"),
        (
            ["--label-delay-days", "1,7", "--out", "o.csv", "--missed"],
            "--missed, --out: only together with one delay",
        ),
        (["--label-delay-days", "1,7", "--against", "r.yaml"], "--against: only together with one delay"),
        (["--label-delay-days", "1,-7"], "1,-7; 0 to 3650"),
        (["--label-delay-days", "1,"], "invalid _days value: '1,'"),
        (["--data", "d.csv", "--seed", "0"], "--seed: not together with --data"),
        (["--data", "d.csv", "--ends-at", "2026-11-01T00:00:00Z"], "--ends-at: not together with --data"),
    ],
)
def test_options_that_would_have_no_effect_are_refused(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)

    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("days", ["7", "1,7"])
def test_labels_that_are_not_known_are_not_played(folder: Path, days: str) -> None:
    write(folder, HISTORY, is_labelled=False)

    with pytest.raises(SystemExit, match=r"data\.jsonl: labels cannot be played"):
        run(folder, "--label-delay-days", days)


def at_shop(day: float, amount: str, scenario: str | None = None) -> SentPayment:
    """A payment of a user of its own."""
    return sent(round(day * 24 * 60), amount, scenario, merchant_id="shop", user_id=f"u{day}")


def test_several_delays_are_a_table_with_a_row_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = RULES + '  - {id: risky, when: merchant_frauds_30d >= 1, points: 60, reason: "Fraud."}\n'
    (folder / "rules.yaml").write_text(rules)
    write(
        folder,
        [at_shop(0, "20", "stolen_card"), at_shop(2, "30", "stolen_card"), at_shop(9, "30", "stolen_card")],
    )

    run(folder, "--label-delay-days", "1,7,30")

    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == [
        "labels",
        "after",
        "average",
        "card",
        "alerts",
        "precision",
        "recall",
        "labels",
        "of",
        "of",
        "honest",
    ]
    # Average precision, card precision, alerts a day, precision, recall, labels known by the end.
    assert lines[2:6] == [
        ["never", "1.000", "0.010", "0.0", "-", "0.0%"],
        ["1", "day", "1.000", "0.010", "0.7", "100.0%", "66.7%", "2", "0"],
        ["7", "days", "1.000", "0.010", "0.3", "100.0%", "33.3%", "2", "0"],
        ["30", "days", "1.000", "0.010", "0.0", "-", "0.0%", "0", "0"],
    ]


def test_a_table_without_payments_fails(folder: Path) -> None:
    with pytest.raises(SystemExit, match="seed 7: there are no payments"):
        main(["--rules", str(folder / "rules.yaml"), "--transactions", "0", "--label-delay-days", "1,7"])


@pytest.mark.parametrize(
    ("blocked", "known"),
    [
        (
            "judged",
            "of 1 of 2 frauds, of 1 honest payments; 0 frauds called honest, 0 payments let through to learn",
        ),
        (
            "unlabelled",
            "of 0 of 2 frauds, of 0 honest payments; 0 frauds called honest, 0 payments let through to learn",
        ),
        (
            "honest",
            "of 0 of 2 frauds, of 1 honest payments; 1 frauds called honest, 0 payments let through to learn",
        ),
        (
            "sampled:1",
            "of 1 of 2 frauds, of 1 honest payments; 0 frauds called honest, 2 payments let through to learn",
        ),
    ],
)
def test_what_is_learnt_of_blocked_payments_is_printed(
    folder: Path, capsys: pytest.CaptureFixture[str], blocked: str, known: str
) -> None:
    (folder / "rules.yaml").write_text(RULES.replace("review: 50, block: 90", "review: 40, block: 50"))
    write(
        folder,
        [
            at_shop(0, "500", "stolen_card"),
            at_shop(1, "500"),
            at_shop(7.5, "20"),
            at_shop(9, "20", "stolen_card"),
        ],
    )

    run(folder, "--label-delay-days", "7", "--blocked", blocked)

    assert f"labels known at the end: {known}" in capsys.readouterr().out.splitlines()


def test_invalid_rows_are_counted_by_field(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, [*HISTORY, sent(4, "nan"), sent(5, "nan"), sent(6, "1", currency="XXX"), sent(7, "-1")])

    run(folder)

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("3 records are not valid, 0 repeat others, 1 are refunds")
    assert lines[at + 1 : at + 4] == [
        "  not valid: amount 2",
        "  not valid: currency 1",
        f"  the first: data.jsonl, line {len(HISTORY) + 1}: amount: not a decimal number",
    ]
