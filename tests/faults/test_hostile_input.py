"""Hostile records through decode, features, rules and row, and the stage under random faults, for as long as there is time.

The unit tests check the same properties on a few examples; here one seed after the other is drawn. `LONG=1` takes an hour, or
as many examples as an hour was measured to draw; otherwise one short round shows that the long one would run.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.hostile_records import (
    batches,
    check_each_is_stored_or_quarantined,
    check_what_is_stored_fits_and_reads_back,
    hostile_fields,
    keys,
)
from tests.support.stage_machine import ScoreStageMachine

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


def settings_for(examples: int) -> settings:
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
    """Draw round after round; return how many examples were drawn. Prints the progress once a minute."""
    started = printed_at = time.monotonic()
    done = 0
    while done < budget.examples and time.monotonic() - started < budget.seconds:
        round_of(FIRST_SEED + done // budget.examples_a_round, budget.examples_a_round)
        done += budget.examples_a_round
        if time.monotonic() - printed_at >= 60 or not done < budget.examples:
            printed_at = time.monotonic()
            minutes, of_minutes = (printed_at - started) / 60, budget.seconds / 60
            with capsys.disabled():
                sys.stdout.write(f"\n{name}: {done:,} examples in {minutes:.1f} of {of_minutes:.0f} min\n")
                sys.stdout.flush()
    return done


def test_no_hostile_record_gets_past_quarantine_by_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    def fuzz_round(number: int, examples: int) -> None:
        # New functions each round: hypothesis keeps a seed for the life of a test function.
        def batch_round(batch: list[bytes | None], key: bytes | None) -> None:
            check_each_is_stored_or_quarantined(batch, key)

        def payment_round(fields: dict[str, Any]) -> None:
            check_what_is_stored_fits_and_reads_back(fields)

        drawn = settings_for(examples // 2)
        seed(number)(drawn(given(batch=batches, key=keys)(batch_round)))()
        seed(number)(drawn(given(fields=hostile_fields)(payment_round)))()

    assert draw_until_spent(FUZZ, fuzz_round, "hostile records", capsys) > 0


def test_the_stage_holds_under_random_faults_for_long(capsys: pytest.CaptureFixture[str]) -> None:
    def model_round(number: int, examples: int) -> None:
        machine = type(f"Round{number}", (ScoreStageMachine,), {})
        run_state_machine_as_test(seed(number)(machine), settings=settings_for(examples))

    assert draw_until_spent(MODEL, model_round, "score stage under random faults", capsys) > 0
