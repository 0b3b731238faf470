"""Reviews and blocks count against a user, but for those of payments that somebody called legitimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.scored import Decision, FeatureValue
from engine.profile import Profile, from_bytes, to_bytes
from tests.support.histories import DAY_S, Event, approved, facts_at, folded, verdict_on
from tests.support.payments import BLOCKED, REVIEWED
from tests.unit.engine.profile.usual_user import (
    STRANGE_S,
    USUAL,
    after_lessons,
    features_at,
    strange,
)

if TYPE_CHECKING:
    from engine.profile.outcome import Outcome


def stops_at(profile: Profile, at_s: float) -> list[FeatureValue]:
    """Reviewed and blocked payments of a day and of 30 days, as of ``at_s``."""
    features = features_at(profile, at_s)
    return [features[f"{what}_count_{window}"] for what in ("review", "block") for window in ("24h", "30d")]


@pytest.mark.parametrize(("outcome", "counted"), [(REVIEWED, [1, 1, 0, 0]), (BLOCKED, [0, 0, 1, 1])])
@pytest.mark.parametrize("others", [0, 40])
def test_a_stop_of_a_legitimate_payment_counts_no_more_unless_it_is_called_fraud_after_all(
    outcome: Outcome, counted: list[int], others: int
) -> None:
    before = approved(*(facts_at(STRANGE_S - 60 * number, f"o-{number}") for number in range(1, others + 1)))
    stays = Event(strange("stays", STRANGE_S + 1), outcome)
    profile = folded([*USUAL, *before, Event(strange(), outcome), stays])
    both = [2 * number for number in counted]
    assert stops_at(profile, STRANGE_S + 60) == both

    for number, (is_fraud, expected) in enumerate(
        [(False, counted), (False, counted), (True, both), (False, counted)]
    ):
        after_lessons(profile, STRANGE_S + 60, verdict_on(strange(), is_fraud=is_fraud, verdict_hash=number))

        assert stops_at(profile, STRANGE_S + 60) == expected
        assert stops_at(profile, STRANGE_S + 2 * DAY_S)[1::2] == expected[1::2]


@pytest.mark.parametrize("is_fraud", [False, True])
def test_a_verdict_on_an_approved_or_forgotten_payment_changes_no_count(is_fraud: bool) -> None:
    many = approved(*(facts_at(STRANGE_S + 60 + number, f"o-{number}") for number in range(40)))
    profile = folded([*USUAL, Event(strange(), BLOCKED), *many])
    newest = many[-1].facts

    after_lessons(profile, STRANGE_S + 200, verdict_on(strange(), is_fraud=is_fraud, verdict_hash=1))
    after_lessons(profile, STRANGE_S + 200, verdict_on(newest, is_fraud=is_fraud, verdict_hash=2))

    assert stops_at(profile, STRANGE_S + 200) == [0, 0, 1, 1]


def test_a_blocked_payment_that_is_sent_again_is_blocked_though_it_was_called_legitimate() -> None:
    profile = folded([*USUAL, Event(strange(), BLOCKED)])
    after_lessons(profile, STRANGE_S + 60, verdict_on(strange(), is_fraud=False))

    repeated = profile.repeated(strange("strange", STRANGE_S + 60))

    assert repeated is not None
    assert repeated.decision is Decision.BLOCK
    assert to_bytes(from_bytes(to_bytes(profile))) == to_bytes(profile)
