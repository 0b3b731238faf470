from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab import crowds
from lab.backtest import run_backtest, stream
from lab.backtest.stream import PaymentStream
from tests.support.backtest_samples import RULES, ruleset, sent

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7", (7,)), ("630-633", (630, 631, 632, 633)), ("1,2,7", (1, 2, 7)), ("1,4-5", (1, 4, 5))],
)
def test_seeds_are_numbers_and_ranges(text: str, expected: tuple[int, ...]) -> None:
    assert crowds.seeds(text) == expected


@pytest.mark.parametrize("text", ["", "a", "3-1", "1-101", "1-", "-3", "1,,2"])
def test_what_names_no_seed_or_too_many_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="1 to 100 seeds, such as 630-637 or 1,2,7"):
        crowds.seeds(text)


def test_false_alarms_are_counted_for_a_thousand_users_and_day() -> None:
    honest = [sent(number, "150", user_id=f"u{number}") for number in range(3)]

    backtest = run_backtest([*honest, sent(3, "1", user_id="u3"), sent(4, "150", "ring")], ruleset())

    assert crowds.false_alarms_a_day(backtest) == 1_000 * 3 / (5 * 1)


def test_recall_and_flagged_crowds_are_printed_by_seed_and_for_all_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    attack = [sent(number, "150", "ring", user_id=f"u{number}") for number in range(2)]
    odd = sent(20 * 24 * 60, "150", user_id="fan")
    odd = msgspec.structs.replace(odd, truth=msgspec.structs.replace(odd.truth, oddness="concert"))

    def simulated(*, seed: int, scenario: str, **_: object) -> PaymentStream:
        assert scenario == "crowds"
        return PaymentStream(iter([*attack, odd][: 3 if seed == 6 else 2]), True, f"seed {seed}")

    monkeypatch.setattr(stream, "simulated", simulated)

    crowds.main(["--rules", str(rules), "--seeds", "6,7"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("seed 6: 1 of 1 attacks found early; crowds: 1 of 1 payments flagged; ")
    assert lines[1].startswith("seed 7: 1 of 1 attacks found early; crowds: 0 of 0 payments flagged; ")
    assert f"{'ring':<26} {2:>8} {2:>6} {'100%':>6} {'100%':>9}" in lines
    assert f"{'concert':<26} {1:>8} {1:>8} {0:>11} {1:>10}" in lines
    assert lines[-1] == f"ruleset 1 ({rules}), seeds 6, 7"
