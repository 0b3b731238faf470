"""Measure a ruleset on attacks that cross users and on honest crowds, over several seeds: ``python -m lab.crowds``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from engine.errors import InvalidModelError, InvalidRulesetError
from engine.rules.ruleset import parse_ruleset
from lab.backtest import stream
from lab.backtest.__main__ import SIMULATED, SIMULATION_ENDS_AT
from lab.backtest.crossing import Crossing, crossing_lines, summed
from lab.backtest.run import Backtest, run_backtest
from lab.models import kept_model
from lab.progress import Progress

TRANSACTIONS: Final = int(str(SIMULATED["transactions"]))
"""Of the people of each seed, as many as the backtest simulates; attacks and crowds come on top."""

MAX_SEEDS: Final = 100


def main(arguments: list[str] | None = None) -> None:
    """Print recall within six payments, flagged payments of honest crowds and false alarms, of all seeds together and of each."""
    options = _parser().parse_args(arguments)
    try:
        ruleset = parse_ruleset(options.rules.read_text(), str(options.rules), kept_model)
    except (InvalidRulesetError, InvalidModelError, OSError) as error:
        sys.exit(str(error))
    crossings: list[Crossing] = []
    rates: list[float] = []
    for seed in options.seeds:
        payments = stream.simulated(
            transactions=options.transactions,
            users=max(1, options.transactions // 40),
            seed=seed,
            ends_at=SIMULATION_ENDS_AT,
            progress=Progress(sys.stderr),
            scenario="crowds",
        )
        backtest = run_backtest(payments.payments, ruleset)
        crossings.append(backtest.crossing)
        rates.append(false_alarms_a_day(backtest))
        print(seed_line(seed, backtest), flush=True)
    print()
    print("\n".join(crossing_lines(summed(crossings))))
    print(f"false alarms for 1,000 users and day: {min(rates):.2f} to {max(rates):.2f}")
    print(f"ruleset {ruleset.version} ({options.rules}), seeds {', '.join(map(str, options.seeds))}")


def false_alarms_a_day(backtest: Backtest) -> float:
    """Honest payments that were flagged, for 1,000 users and day, those of the warm-up included; >= 0."""
    measures = backtest.measures
    return 1_000 * backtest.false_alarm_count / max(measures.users * measures.days, 1)


def seed_line(seed: int, backtest: Backtest) -> str:
    """Write the figures of one seed in a line."""
    attacks, crowds = backtest.crossing.attacks.values(), backtest.crossing.crowds.values()
    return (
        f"seed {seed}: {sum(each.early for each in attacks)} of {sum(each.incidents for each in attacks)} attacks found early; "
        f"crowds: {sum(each.flagged for each in crowds)} of {sum(each.payments for each in crowds):,} payments flagged; "
        f"false alarms for 1,000 users and day: {false_alarms_a_day(backtest):.2f}"
    )


def seeds(text: str) -> tuple[int, ...]:
    """Read seeds such as ``630-637`` or ``1,2,7``; ArgumentTypeError where there is none, or more than :data:`MAX_SEEDS`."""
    found: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            end = int(last if dash else first)
            found += range(int(first), min(end, int(first) + MAX_SEEDS) + 1)
    except ValueError:
        found = []
    if not 1 <= len(found) <= MAX_SEEDS:
        raise argparse.ArgumentTypeError(f"{text!r}; 1 to {MAX_SEEDS} seeds, such as 630-637 or 1,2,7")
    return tuple(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.crowds", description=main.__doc__)
    parser.add_argument("--rules", type=Path, default=Path("rules/default.yaml"), help="the ruleset")
    parser.add_argument("--seeds", type=seeds, default=(7,), help="such as 630-637 or 1,2,7 (default: 7)")
    parser.add_argument(
        "--transactions",
        type=int,
        default=TRANSACTIONS,
        help=f"of the people of each seed (default: {TRANSACTIONS:,})",
    )
    return parser


if __name__ == "__main__":
    main()
