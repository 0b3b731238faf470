"""What holds for all features of a payment together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.features.catalogue import CATALOGUE, FEATURE_NAMES
from tests.support.feature_samples import TYPES, before, features_of, now

if TYPE_CHECKING:
    from contract.transaction import Transaction


@pytest.mark.parametrize("earlier", [[], [before(5)], [before(m) for m in range(1, 60)]])
def test_every_feature_of_the_catalogue_is_given_in_its_order_and_type(earlier: list[Transaction]) -> None:
    features = features_of(now(), *earlier)

    assert tuple(features) == FEATURE_NAMES
    assert {name: type(value) for name, value in features.items()} == {
        feature.name: TYPES[feature.type] for feature in CATALOGUE
    }


def test_a_first_payment_has_no_past_and_nothing_in_it_is_new() -> None:
    features = features_of(now(payee_id="p"))

    assert features["profile_tx_count"] == 0
    assert features["tx_count_24h"] == 1
    assert features["amount_ratio_to_mean_30d"] == 1.0
    assert features["amount_percentile_recent"] == 0.5
    assert not any(value for name, value in features.items() if name.startswith("is_new_"))
