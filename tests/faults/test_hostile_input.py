"""Hostile records through decode, features, rules and row, and the stage under random faults, for as long as there is time.

The properties are the unit tests' own; here they are drawn with one seed after the other. `LONG=1` takes an hour, or as many
examples as an hour was measured to draw; otherwise one short round shows that the long one would run.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.score import test_fuzz as fuzz
from tests.unit.score.test_stage_model import ScoreStageMachine

from .fault import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.xdist_group("hostile input")
"""Needs no server, and so another worker can run it beside the matrix."""

FIRST_SEED = 20_261_124
"""Round n draws with this seed plus n: a failure names its round, and hypothesis shrinks it."""


@dataclass(frozen=True)
class Budget:
    """When to stop: whichever comes first."""

    seconds: float
    examples: int
    examples_a_round: int


FUZZ = Budget(2_700, 720_000, 2_000) if IS_LONG else Budget(30, 100, 50)
"""Of both properties of records together: three quarters of the hour."""
MODEL = Budget(900, 7_000, 200) if IS_LONG else Budget(30, 10, 10)
"""Of the state machine, 50 steps an example: a quarter."""


def drawn(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def draw_until_spent(
    budget: Budget, round_of: Callable[[int, int], None], name: str, capsys: pytest.CaptureFixture[str]
) -> int:
    """Draw round after round; returns how many examples that were. Says once a minute how far it is."""
    started = told = time.monotonic()
    done = 0
    while done < budget.examples and time.monotonic() - started < budget.seconds:
        round_of(FIRST_SEED + done // budget.examples_a_round, budget.examples_a_round)
        done += budget.examples_a_round
        if time.monotonic() - told >= 60 or not done < budget.examples:
            told = time.monotonic()
            minutes, of_minutes = (told - started) / 60, budget.seconds / 60
            with capsys.disabled():
                sys.stdout.write(f"\n{name}: {done:,} examples in {minutes:.1f} of {of_minutes:.0f} min\n")
                sys.stdout.flush()
    return done


def test_no_hostile_record_gets_past_quarantine_by_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    batches: Any = fuzz.test_hostile_records_are_either_stored_or_quarantined_and_stop_nothing
    payments: Any = fuzz.test_what_is_stored_of_a_hostile_payment_fits_and_reads_back

    def fuzz_round(number: int, examples: int) -> None:
        # Each round anew: hypothesis keeps a seed for the life of a test function.
        for draw, strategies in (
            (
                batches.hypothesis.inner_test,
                {"batch": st.lists(fuzz.records, min_size=1, max_size=12), "key": fuzz.keys},
            ),
            (payments.hypothesis.inner_test, {"fields": fuzz.hostile_fields}),
        ):
            seed(number)(drawn(examples // 2)(given(**strategies)(draw)))()

    assert draw_until_spent(FUZZ, fuzz_round, "hostile records", capsys) > 0


def test_the_stage_holds_under_random_faults_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    def model_round(number: int, examples: int) -> None:
        machine = type(f"Round{number}", (ScoreStageMachine,), {})
        run_state_machine_as_test(seed(number)(machine), settings=drawn(examples))

    assert draw_until_spent(MODEL, model_round, "score stage under random faults", capsys) > 0
