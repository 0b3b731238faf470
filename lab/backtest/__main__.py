"""Judge a ruleset before it is deployed, on simulated payments or on your own: ``python -m lab.backtest``."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.errors import MappingError
from engine.errors import InvalidModelError, InvalidRulesetError
from engine.rules.ruleset import parse_ruleset
from lab.backtest import stream
from lab.backtest.delays import HEAD, row_line, run_delays
from lab.backtest.labels import BLOCKED_POLICIES, MAX_DELAY_DAYS, Delay, LabelPlan, read_delays
from lab.backtest.page import backtest_page, delays_page
from lab.backtest.plot import draw_curve
from lab.backtest.printing import NO_LABELS, as_text, comparison_text, judged_text
from lab.backtest.run import MAX_SHOWN, Backtest, run_backtest
from lab.backtest.scores import ScoreWriter
from lab.datasets import DatasetError
from lab.models import kept_model, model_of, with_model
from lab.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from engine.rules.ruleset import Ruleset
    from lab.backtest.deciding import JudgedPayment
    from lab.backtest.delays import DelayRow
    from lab.backtest.stream import PaymentStream
    from lab.pages.page import Page

PLOT: Final = Path("build/backtest/threshold-curve.svg")

SIMULATION_ENDS_AT: Final = datetime(2026, 11, 26, tzinfo=UTC)
"""A fixed time, so that a seed gives the same figures on every day. Rules may be tuned on any seed but 300 to 307: the figures of
`docs/figures.md` are measured on those."""

SIMULATED: Final[Mapping[str, object]] = {
    "transactions": 12_000,
    "users": None,
    "seed": 7,
    "scenario": "people",
    "ends_at": SIMULATION_ENDS_AT,
}
"""The options of a simulation, with their defaults."""


def main(arguments: list[str] | None = None) -> None:
    """Run a ruleset over simulated payments or over your own data, and print how good its decisions are."""
    options = _options(arguments)
    began = time.perf_counter()
    try:
        document = _ruleset(options.rules)
        ruleset = _with_model(document, options.model)
        name = _name(ruleset, options.rules, document)
        if options.label_delay_days is not None and len(options.label_delay_days) > 1:
            _print_delays(options, ruleset, name)
            return
        against = None if options.against is None else _ruleset(options.against)
        payments, plan = _payments(options, ruleset), _label_plan(options)
        with ExitStack() as files:
            write = _score_writer(options.out, files, has_model=any(side.model for side in ruleset.sides))
            backtest = run_backtest(payments.payments, ruleset, against=against, write=write, plan=plan)
    except (InvalidRulesetError, InvalidModelError, DatasetError, MappingError, OSError) as error:
        sys.exit(str(error))
    seconds = time.perf_counter() - began
    if not backtest.report.transactions:
        sys.exit(_nothing_valid(backtest, payments.source))
    names = (name, "" if against is None else _name(against, options.against, against))
    print(as_text(backtest, is_labelled=payments.is_labelled))
    print(f"\n{name}, {payments.source}, {seconds:.1f} s")
    if backtest.comparison is not None:
        print()
        print(comparison_text(backtest.comparison, names, backtest, is_labelled=payments.is_labelled))
    shown = _shown(options, backtest)
    for title, count, judged in shown:
        print("\n".join([f"\n{title}: {count:,}", *map(judged_text, judged)]))
    title = f"{payments.source}, {name}"
    draw_curve(backtest.measures, ruleset.thresholds, options.plot, title, is_labelled=payments.is_labelled)
    print(f"\nplot: {options.plot}")
    if options.out is not None:
        print(f"scores: {options.out}")
    if options.page is not None:
        page = backtest_page(backtest, names, payments.source, is_labelled=payments.is_labelled, shown=shown)
        _write_page(page, options.page)


def _shown(options: argparse.Namespace, backtest: Backtest) -> list[tuple[str, int, Sequence[JudgedPayment]]]:
    """Payments that are to be shown: what they are, how many there are, and the first of them."""
    requested = (
        ("payments of missed incidents", backtest.missed_count, backtest.missed, options.missed),
        ("false alarms", backtest.false_alarm_count, backtest.false_alarms, options.false_alarms),
    )
    return [(title, count, judged) for title, count, judged, is_requested in requested if is_requested]


def _print_delays(options: argparse.Namespace, ruleset: Ruleset, name: str) -> None:
    """Print a table by how late labels come, row by row."""
    source = _payments(options, ruleset).source
    plan = LabelPlan((), *options.blocked)
    rows: list[DelayRow] = []
    for row in run_delays(lambda: _payments(options, ruleset), ruleset, options.label_delay_days, plan):
        if not row.backtest.report.transactions:
            sys.exit(_nothing_valid(row.backtest, source))
        print(*(() if rows else HEAD), row_line(row), sep="\n", flush=True)
        rows.append(row)
    print(f"\n{name}, {source}")
    if options.page is not None:
        _write_page(delays_page(rows, name, source), options.page)


def _write_page(page: Page, path: Path) -> None:
    # Here, because Jinja2 is not where a training in AWS imports this module.
    from lab.pages.html import write_page

    write_page(page, path, datetime.now(UTC))
    print(f"report: {path}")


def _ruleset(path: Path) -> Ruleset:
    return parse_ruleset(path.read_text(), str(path), kept_model)


def _with_model(ruleset: Ruleset, path: Path | None) -> Ruleset:
    return ruleset if path is None else with_model(ruleset, model_of(path), str(path))


def _name(ruleset: Ruleset, path: Path, document: Ruleset) -> str:
    """What decides, and what its document's candidate does: users are drawn for it, as in operation, unless a model is tried in the champion."""
    used = ruleset.model
    model = "" if used is None else f", model {used.model.sha256[:12]}"
    candidate, side = document.candidate, ""
    if candidate is not None:
        version, share = candidate.ruleset.version, candidate.draw.share_percent
        side = (
            f", without its candidate {version}"
            if ruleset.candidate is None
            else f", its candidate {version} for {share:g} % of the users"
        )
    return f"ruleset {ruleset.version} ({path}){model}{side}"


def _payments(options: argparse.Namespace, ruleset: Ruleset) -> PaymentStream:
    progress = Progress(sys.stderr)
    if options.data is not None:
        rates = ruleset.exchange.by_currency
        payments = stream.own(options.data, options.map, rates, options.limit, progress)
        if not payments.is_labelled and (options.label_delays or options.label_delay_days):
            raise DatasetError(f"{payments.source}: labels cannot be played. {NO_LABELS}")
        return payments
    return stream.simulated(
        transactions=options.transactions,
        users=options.users or max(1, options.transactions // 40),
        seed=options.seed,
        ends_at=options.ends_at,
        progress=progress,
        scenario=options.scenario,
    )


def _label_plan(options: argparse.Namespace) -> LabelPlan | None:
    if options.label_delays is not None:
        delays = read_delays(options.label_delays)
    elif options.label_delay_days is not None:
        delays = (Delay(1.0, options.label_delay_days[0]),)
    else:
        return None
    return LabelPlan(delays, *options.blocked)


def blocked_policy(text: str) -> tuple[str, float]:
    """Read what becomes known of blocked payments, and of which share."""
    if text in BLOCKED_POLICIES:
        return text, 0.0
    policy, _, share = text.partition(":")
    try:
        if policy == "sampled" and 0 < float(share) <= 1:
            return policy, float(share)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"{text!r}; one of {', '.join(BLOCKED_POLICIES)}, or sampled:0.1 for a tenth of them"
    )


def _days(text: str) -> tuple[float, ...]:
    days = tuple(float(each) for each in text.split(","))
    if not all(0 <= each <= MAX_DELAY_DAYS for each in days):
        raise argparse.ArgumentTypeError(f"{text}; 0 to {MAX_DELAY_DAYS}")
    return days


def _score_writer(
    out: Path | None, files: ExitStack, *, has_model: bool
) -> Callable[[JudgedPayment], object] | None:
    if out is None:
        return None
    out.parent.mkdir(parents=True, exist_ok=True)
    return ScoreWriter(
        files.enter_context(out.open("w", encoding="utf-8", newline="")), has_model=has_model
    ).write


def _nothing_valid(backtest: Backtest, source: str) -> str:
    rows = backtest.invalid + backtest.refunds
    if not rows:
        return f"{source}: there are no payments"
    first = backtest.first_invalid or "an amount below zero"
    refunds = f", {backtest.refunds:,} are refunds" if backtest.refunds else ""
    return f"{source}: none of {rows:,} rows is a valid payment{refunds}. The first: {first}"


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{count}; at least 1")
    return count


def _options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options; refuse those that would have no effect."""
    parser = _parser()
    options = parser.parse_args(arguments)
    given = {name for name, value in vars(options).items() if value is not None}
    of_data = given & {"map", "limit"}
    if options.data is None and of_data:
        parser.error(f"{_names(of_data)}: only together with --data")
    if options.data is not None and given & SIMULATED.keys():
        parser.error(f"{_names(given & SIMULATED.keys())}: not together with --data")
    if "blocked" in given and not given & {"label_delays", "label_delay_days"}:
        parser.error("--blocked: only together with --label-delay-days or --label-delays")
    if options.label_delay_days is not None and len(options.label_delay_days) > 1:
        of_one = {"against", "out", "missed", "false_alarms"} & {
            name for name in given if vars(options)[name]
        }
        if of_one:
            parser.error(f"{_names(of_one)}: only together with one delay")
    for name in SIMULATED.keys() - given:
        setattr(options, name, SIMULATED[name])
    options.blocked = options.blocked or ("judged", 0.0)
    return options


def _names(options: set[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in sorted(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.backtest", description=main.__doc__)
    parser.add_argument("--rules", type=Path, default=Path("rules/default.yaml"), help="the ruleset")
    parser.add_argument(
        "--model",
        type=Path,
        help="a model, in the place of the ruleset's: it gives the ruleset's points, else those that it proposes itself",
    )
    parser.add_argument("--against", type=Path, help="a second ruleset: show what each flags alone")
    parser.add_argument("--out", type=Path, help="write a line a payment to this file, CSV")
    parser.add_argument("--plot", type=Path, default=PLOT, help=f"the plot, SVG (default: {PLOT})")
    parser.add_argument("--page", type=Path, help="write the same as a page to this file, HTML")
    parser.add_argument("--transactions", type=int, help="how many to simulate (default: 12,000)")
    parser.add_argument("--users", type=int, help="how many people pay (default: one per 40 transactions)")
    parser.add_argument("--seed", type=int, help="of the simulation (default: 7)")
    parser.add_argument(
        "--scenario",
        choices=("people", "crowds"),
        help="crowds: add attacks that cross users, and honest crowds that look like them",
    )
    parser.add_argument(
        "--ends-at",
        type=lambda text: datetime.fromisoformat(text).astimezone(UTC),
        help=f"last event time of the simulation, RFC 3339 (default: {SIMULATION_ENDS_AT.isoformat()})",
    )
    parser.add_argument("--data", type=Path, help="instead: your own data, a file or a folder")
    parser.add_argument("--map", type=Path, help="which of its columns is which field, YAML")
    parser.add_argument("--limit", type=_count, help="read only so many rows of it, the first ones")
    labels = parser.add_mutually_exclusive_group()
    labels.add_argument(
        "--label-delay-days",
        type=_days,
        help="play labels: each is known so many days after its payment; 1,3,7 prints a table by delay",
    )
    labels.add_argument(
        "--label-delays", type=Path, help="instead: a file of sources with shares and days, YAML"
    )
    parser.add_argument(
        "--blocked",
        type=blocked_policy,
        help="what becomes known of blocked payments: judged (the truth, the default), unlabelled, honest, or sampled:0.1",
    )
    parser.add_argument(
        "--missed",
        action="store_true",
        help=f"show fraud of incidents that were not detected, at most {MAX_SHOWN}",
    )
    parser.add_argument(
        "--false-alarms",
        action="store_true",
        help=f"show honest payments that were flagged, at most {MAX_SHOWN}",
    )
    return parser


if __name__ == "__main__":
    main()
