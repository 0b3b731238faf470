"""The model's page has its card, its terms as curves, and whether payments are still like those it learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from console.model_views import bin_names, model_view
from console.rights import Group
from contract.rollout_rows import counts_item, part_key
from engine.features.catalogue import CATALOGUE
from engine.model.document import Axis, decode
from engine.model.drift import Drift, InputCounts, read_baseline
from engine.rollout.counts import RolloutCounts
from engine.rollout.stored import counts_to_bytes
from lab.models import kept_baseline, kept_model
from tests.support.console_rulesets import CHAMPION, MODEL, RULESET, outline_of
from tests.support.console_world import NOW

if TYPE_CHECKING:
    from console.model_views import ModelView
    from tests.support.console_world import ConsoleWorld


def view_of(drift: Drift | None, inputs: InputCounts) -> ModelView:
    data = kept_model(MODEL)
    assert data is not None
    _, document = decode(data, "model", CATALOGUE)
    return model_view(
        MODEL, document, outline_of(CHAMPION).champion, drift, inputs, {"amount_base": "What was paid."}
    )


def test_every_term_of_one_feature_is_a_curve_and_the_strongest_comes_first() -> None:
    view = view_of(None, InputCounts())

    spans = [curve.span for curve in view.curves]
    assert spans == sorted(spans, reverse=True)
    assert len(view.curves) + len(view.pairs) + view.pairs_left == 55
    for curve in view.curves:
        points = [tuple(map(float, point.split(","))) for point in curve.points.split()]
        assert len(points) == 2 * len(curve.bins)
        assert all(0 <= x <= 320 and 0 <= y <= 120 for x, y in points)
        assert 0 <= curve.zero <= 120
    (amount,) = (curve for curve in view.curves if curve.feature == "amount_base")
    assert amount.sentence == "What was paid."
    assert amount.bins[0][0].startswith("up to ")


def test_the_card_says_what_it_was_made_from_and_what_points_it_gives() -> None:
    facts = dict(view_of(None, InputCounts()).facts)

    assert facts["Payments"] == "291,900, of which 2,919 were known to be fraud"
    assert facts["Features and terms"] == "36 and 55"
    assert facts["Points"] == "-5 from a probability of 0.00%, up to +40 from 50.00%, in 2 steps"


def test_drift_is_said_in_words_and_beside_each_curve() -> None:
    drift = Drift(2_000, 0.3, {"amount_base": 0.15, "tx_count_24h": 0.01})

    view = view_of(drift, InputCounts(payments=2_000, invalid_fields={"location": 500}))

    assert "0.300 against the training window: another distribution." in view.drift
    assert view.drifts == (("amount_base", "0.150", "moved"), ("tx_count_24h", "0.010", ""))
    assert view.invalid == (("location", "25.00%"),)
    (amount,) = (curve for curve in view.curves if curve.feature == "amount_base")
    assert amount.drift == "0.15: moved"


@pytest.mark.parametrize(
    ("drift", "words"),
    [(None, "Its training window is not kept"), (Drift(5, None, {}), "from 1,000 on")],
)
def test_what_cannot_be_compared_says_why(drift: Drift | None, words: str) -> None:
    assert words in view_of(drift, InputCounts(payments=5)).drift


def test_bins_are_named_in_words() -> None:
    assert bin_names(Axis("a", edges=(1.0, 2500.5)), "double") == [
        "up to 1",
        "up to 2,500.5",
        "above 2,500.5",
    ]
    assert bin_names(Axis("a", edges=(0.5,)), "bool") == ["false", "true"]
    assert bin_names(Axis("a", values=(("x", "y"),)), "string") == ["all others", "x, y"]
    assert bin_names(Axis("a"), "int") == ["all"]


def test_the_page_draws_the_active_model_with_the_drift_of_the_last_day(world: ConsoleWorld) -> None:
    active = world.rulesets.activate(CHAMPION, NOW)
    baseline = kept_baseline(MODEL)
    assert baseline is not None
    shares = read_baseline(baseline, "baseline").features
    inputs = InputCounts(payments=1_600, bins={name: {0: 1_600} for name in shares}, scores={0: 1_600})
    counted = counts_to_bytes(RolloutCounts(payments={0: 1}, inputs=inputs))
    item: Any = counts_item(active.digest, part_key(NOW, "0f"), counted, NOW)
    world.dynamodb.put_item(TableName="rollout_counts", Item=item)
    world.sign_in(Group.AUDITOR)

    page = world.get("/model")

    assert page.status == 200
    assert f"Model {MODEL[:12]}" in page.body
    assert "1,600 payments of the last day were counted" in page.body
    assert "another distribution" in page.body
    assert page.body.count("<polyline") == 16
    assert " style=" not in page.body
    assert len(page.body) < 500_000


def test_without_a_model_or_a_ruleset_the_page_says_so(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUTHOR)
    nothing = world.get("/model")
    world.rulesets.activate(RULESET, NOW)

    assert "No ruleset is known here yet" in nothing.body
    assert "The active ruleset uses no model" in world.get("/model").body
