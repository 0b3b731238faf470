"""Features of any value are read from a row as they were written, and only with the catalogue that packed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.features.catalogue import CATALOGUE, FEATURE_NAMES, FEATURE_SET, feature_set_of
from engine.features.stored import FeatureSetError, pack, unpack
from engine.features.windows import rounded
from tests.support.rule_samples import features

if TYPE_CHECKING:
    from contract.scored import FeatureValue

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "double": st.floats(-1e9, 1e9).map(rounded) | st.floats(allow_nan=False, allow_infinity=False),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "string": st.text(),
}
any_values = st.fixed_dictionaries({each.name: VALUES[each.type] for each in CATALOGUE}).map(
    lambda drawn: {name: drawn[name] for name in FEATURE_NAMES}
)


@given(any_values)
def test_features_come_out_as_they_went_in_with_their_types(values: dict[str, FeatureValue]) -> None:
    again = unpack(pack(values), FEATURE_SET)

    assert again == values
    assert list(again) == list(values)
    assert [type(value) for value in again.values()] == [type(value) for value in values.values()]


@pytest.mark.parametrize(
    "value",
    [0.0, -0.0, 0.0001, 1234.5678, 12345.67891, 1e15 + 0.5, 2.0**53 / 1e4, 2.0**63 / 1e4, 1e300, -1e-9],
)
def test_a_number_is_stored_exactly_whether_ten_thousandths_suit_it_or_not(value: float) -> None:
    assert unpack(pack(features(amount=value)), FEATURE_SET)["amount"] == value


def test_a_usual_number_is_stored_as_ten_thousandths() -> None:
    values = msgspec.msgpack.decode(pack(features(amount=25.5, amount_base=0.0)))

    assert values[:2] == [255_000, 0]


FIRST = tuple(
    msgspec.structs.replace(each, version=1)
    for each in CATALOGUE
    if each.name not in {"channel_as_sent", "is_currency_assumed", "invalid_field_count"}
)
"""The features of set 3."""


def test_rows_of_the_first_set_have_their_values_as_they_are() -> None:
    values = features(amount=25.5)

    first = {each.name: values[each.name] for each in FIRST}

    assert unpack(msgspec.msgpack.encode(list(first.values())), "3", FIRST) == first


def test_another_feature_set_is_refused_and_named() -> None:
    with pytest.raises(FeatureSetError, match=f"feature set 00aaff; this catalogue is {FEATURE_SET}"):
        unpack(pack(features()), "00aaff")


def test_more_or_fewer_values_than_the_catalogue_has_are_refused() -> None:
    with pytest.raises(FeatureSetError, match=r"2 features of set 3; the catalogue has \d+"):
        unpack(msgspec.msgpack.encode([1, 2]), "3", FIRST)


def test_another_catalogue_may_be_given_for_its_own_set_only() -> None:
    number = next(each for each in CATALOGUE if each.type == "double")
    count = next(each for each in CATALOGUE if each.type == "int")
    other = (number, count)
    packed = msgspec.msgpack.encode([15_000, 2])

    assert unpack(packed, feature_set_of(other), other) == {number.name: 1.5, count.name: 2}
    with pytest.raises(FeatureSetError, match=f"feature set {FEATURE_SET}; this catalogue is"):
        unpack(packed, FEATURE_SET, other)


def test_rows_of_the_first_set_are_read_by_its_own_catalogue_only() -> None:
    changed = (*CATALOGUE[1:], CATALOGUE[0])

    with pytest.raises(FeatureSetError, match="feature set 3; this catalogue is"):
        unpack(msgspec.msgpack.encode(list(features().values())), "3", changed)
