"""Let thieves play against a ruleset before it is deployed: ``python -m lab.red_team``."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import InvalidRulesetError
from engine.rules.ruleset import parse_ruleset
from lab.models import kept_model
from lab.pages.html import write_page
from lab.red_team.engines import EngineError, OwnEngine, checked_out, served
from lab.red_team.game import RoundResult, play
from lab.red_team.page import red_team_page
from lab.red_team.population import RoundConfig
from lab.red_team.report import as_json, as_text, report_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_RULES: Final = Path("rules/default.yaml")

TUNED: Final = (1, 2)
"""Seeds that the default rules may be tuned on."""

UNSEEN: Final = (501, 502)
"""Seeds that they must not be tuned on."""


def main(arguments: list[str] | None = None) -> None:
    """Play rounds of thieves and honest people, and print what thieves take and what honest people suffer."""
    options = _parser().parse_args(arguments)
    began = time.perf_counter()
    try:
        groups = {
            "tuned": _rounds(options, options.tuned),
            "unseen": _rounds(options, options.unseen),
        }
    except (InvalidRulesetError, EngineError, OSError) as error:
        sys.exit(str(error))
    name = f"engine {options.engine}" if options.engine else f"rules {options.rules or DEFAULT_RULES}"
    report = report_of(name, {"tuned": options.tuned, "unseen": options.unseen}, groups)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(as_json(report))
    print(as_text(report))
    print(f"\n{name}, {time.perf_counter() - began:.0f} s; figures: {options.out}")
    if options.page is not None:
        write_page(red_team_page(report), options.page, datetime.now(UTC))
        print(f"report: {options.page}")


def _rounds(options: argparse.Namespace, seeds: Sequence[int]) -> list[RoundResult]:
    return [
        _round(
            options, RoundConfig(seed=seed, thieves=options.thieves, odd=options.people, tries=options.tries)
        )
        for seed in seeds
    ]


def _round(options: argparse.Namespace, config: RoundConfig) -> RoundResult:
    if not options.engine:
        rules = options.rules or DEFAULT_RULES
        return play(config, OwnEngine(parse_ruleset(rules.read_text(), str(rules), kept_model)))
    with checked_out(options.engine) as tree:
        rules = options.rules or tree / DEFAULT_RULES
        with served(tree, rules, options.engine) as engine:
            return play(config, engine)


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.red_team", description=main.__doc__)
    parser.add_argument(
        "--rules", type=Path, help=f"the ruleset (default: {DEFAULT_RULES} of the engine's tree)"
    )
    parser.add_argument("--engine", help="play against the engine of this commit, in a process of its own")
    parser.add_argument("--tuned", type=_seeds, default=TUNED, help="seeds that the rules were tuned on")
    parser.add_argument("--unseen", type=_seeds, default=UNSEEN, help="seeds that they were not tuned on")
    parser.add_argument("--thieves", type=int, default=8, help="of each kind and seed")
    parser.add_argument("--people", type=int, default=20, help="of each kind of oddness and seed")
    parser.add_argument("--tries", type=int, default=60, help="budget of a thief")
    parser.add_argument("--out", type=Path, default=Path("build/red-team.json"), help="figures, JSON")
    parser.add_argument("--page", type=Path, help="write the same as a page to this file, HTML")
    return parser


if __name__ == "__main__":
    main()
