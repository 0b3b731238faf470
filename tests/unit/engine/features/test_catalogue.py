"""What is true of the catalogue as a whole, with any features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import (
    CATALOGUE,
    FAMILIES,
    FEATURE_NAMES,
    FEATURE_SET,
    compute_features,
    feature_set_of,
    features_and_sighting,
    in_order,
)
from engine.features.definition import double
from engine.features.windows import Windows
from engine.profile import Profile
from tests.support.payments import make_grocery_payment, trusted_facts

if TYPE_CHECKING:
    from engine.features.definition import Family, FeatureDefinition

RATES = ExchangeRates({"EUR": 1.0})
_TYPES = {"double": float, "int": int, "bool": bool, "string": str}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.FEATURES[0].name)
def test_a_family_computes_the_features_that_it_defines_in_their_order(family: Family) -> None:
    facts, profile = trusted_facts(make_grocery_payment()), Profile()

    values = family.compute(facts, profile, Windows(facts, profile, RATES.per_minor_unit))

    assert [type(value) for value in values] == [_TYPES[each.type] for each in family.FEATURES]


def test_features_are_read_by_name_and_in_their_order() -> None:
    features, _ = features_and_sighting(trusted_facts(make_grocery_payment()), Profile(), RATES)

    named = dict(features)

    assert list(named) == list(FEATURE_NAMES)
    assert list(named.values()) == list(features.in_order) == in_order(named)
    assert (features["currency"], features.get("no feature")) == ("EUR", None)


def test_features_without_one_of_the_catalogue_have_no_order() -> None:
    features = compute_features(trusted_facts(make_grocery_payment()), Profile(), RATES)
    del features["currency"]

    with pytest.raises(KeyError, match="currency"):
        in_order(features)


def test_no_two_features_have_the_same_name() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)


def test_the_feature_set_is_named_by_its_content_in_six_digits() -> None:
    assert feature_set_of(CATALOGUE) == FEATURE_SET
    assert len(FEATURE_SET) == 6
    assert int(FEATURE_SET, 16) >= 0


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param((*CATALOGUE, double("amount_in_gold", "g", "Not a feature.")), id="added"),
        pytest.param(CATALOGUE[1:], id="removed"),
        pytest.param((CATALOGUE[1], CATALOGUE[0], *CATALOGUE[2:]), id="moved"),
        pytest.param(
            (msgspec.structs.replace(CATALOGUE[0], version=2), *CATALOGUE[1:]), id="computed otherwise"
        ),
        pytest.param((msgspec.structs.replace(CATALOGUE[0], type="int"), *CATALOGUE[1:]), id="another type"),
    ],
)
def test_a_changed_catalogue_has_another_name(changed: tuple[FeatureDefinition, ...]) -> None:
    assert feature_set_of(changed) != FEATURE_SET


def test_another_sentence_is_the_same_feature_set() -> None:
    reworded = (msgspec.structs.replace(CATALOGUE[0], description="Reworded."), *CATALOGUE[1:])

    assert feature_set_of(reworded) == FEATURE_SET
