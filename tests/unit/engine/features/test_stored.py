"""Features of any value are read from a row as they were written, and only with the catalogue that packed them."""

from __future__ import annotations

from base64 import b64decode
from math import floor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.features.catalogue import (
    CATALOGUE,
    FEATURE_NAMES,
    FEATURE_SET,
    ROUNDED,
    Features,
    feature_set_of,
)
from engine.features.definition import FeatureDefinition
from engine.features.past import PAST_CATALOGUES
from engine.features.stored import (
    DamagedFeaturesError,
    FeatureSetError,
    differing,
    pack,
    read_features,
    unpack,
)
from engine.features.windows import rounded
from tests.support.past_samples import FEATURES_OF_SET_861800, PACKED_BY_SET_861800
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


@given(
    st.lists(
        st.floats(-1e15, 1e15) | st.floats(-1e4, 1e4) | st.floats(9e10, 1.3e11),
        min_size=len(ROUNDED),
        max_size=len(ROUNDED),
    )
)
def test_features_that_were_rounded_together_are_stored_as_those_given_by_name(numbers: list[float]) -> None:
    values = list(features(amount=1.23456).values())
    whole = [floor(number * 1e4 + 0.5) for number in numbers]
    for place, each in zip(ROUNDED, whole, strict=True):
        values[place] = each / 1e4
    rounded_together = Features(values, whole)

    assert pack(rounded_together) == pack(dict(rounded_together))


def test_a_usual_number_is_stored_as_ten_thousandths() -> None:
    values = msgspec.msgpack.decode(pack(features(amount=25.5, amount_base=0.0)))

    assert values[:2] == [255_000, 0]


def test_row_of_set_861800_is_read_by_its_own_names() -> None:
    values = unpack(b64decode(PACKED_BY_SET_861800), "861800")

    assert values == FEATURES_OF_SET_861800
    assert [type(value) for value in values.values()] == list(map(type, FEATURES_OF_SET_861800.values()))


def test_row_of_the_first_set_has_the_same_names_and_its_values_as_they_are() -> None:
    natural = msgspec.msgpack.encode(list(FEATURES_OF_SET_861800.values()))

    assert unpack(natural, "3") == FEATURES_OF_SET_861800


def test_past_catalogues_are_named_by_their_content_too() -> None:
    """A name that is lost, moved or of another type here would give stored rows other values without an error."""
    for feature_set, features_then in PAST_CATALOGUES.items():
        definitions = tuple(FeatureDefinition(name, kind, "1", "") for name, kind in features_then)

        assert feature_set_of(definitions) == feature_set


def test_a_set_that_is_not_known_is_refused_and_named_with_those_that_are() -> None:
    known = ", ".join(sorted([FEATURE_SET, *PAST_CATALOGUES]))
    with pytest.raises(FeatureSetError, match=f"^feature set 00aaff; known are {known}$"):
        unpack(pack(features()), "00aaff")


@pytest.mark.parametrize("feature_set", ["3", "861800", FEATURE_SET])
def test_more_or_fewer_values_than_the_catalogue_has_are_refused(feature_set: str) -> None:
    size = len(CATALOGUE if feature_set == FEATURE_SET else PAST_CATALOGUES["861800"])
    for count in (2, size - 1, size + 1):
        with pytest.raises(
            FeatureSetError, match=f"^{count} features of set {feature_set}; the catalogue has {size}$"
        ):
            unpack(msgspec.msgpack.encode([1] * count), feature_set)


@given(any_values)
def test_features_are_read_in_order_as_they_went_in_with_their_types(values: dict[str, FeatureValue]) -> None:
    again = read_features(pack(values), FEATURE_SET)

    assert dict(again) == values
    assert [type(value) for value in again.in_order] == [type(value) for value in values.values()]


@given(any_values)
def test_features_that_were_read_are_packed_as_they_were(values: dict[str, FeatureValue]) -> None:
    packed = pack(values)

    assert pack(read_features(packed, FEATURE_SET)) == packed


@pytest.mark.parametrize(
    ("packed", "feature_set"),
    [
        (b64decode(PACKED_BY_SET_861800), "861800"),
        (msgspec.msgpack.encode(list(FEATURES_OF_SET_861800.values())), "3"),
    ],
)
def test_what_an_earlier_set_lacks_is_absent_and_the_rest_is_as_it_was(
    packed: bytes, feature_set: str
) -> None:
    again = dict(read_features(packed, feature_set))

    assert again == {**features(), **FEATURES_OF_SET_861800}
    assert list(again) == list(FEATURE_NAMES)


def test_features_that_an_earlier_set_lacks_or_had_otherwise_are_named() -> None:
    found = differing("861800")

    assert {"fraud_probability", "merchant_frauds_30d"} <= found  # lacked
    assert {"channel", "amount_zscore_30d"} <= found  # computed differently
    assert not {"amount_base", "tx_count_1h", "country"} & found
    assert differing("3") == found
    assert differing(FEATURE_SET) == frozenset()


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(list(features().values())[:-1]),
        msgspec.msgpack.encode([*features().values(), 0]),
        msgspec.msgpack.encode(["text", *list(features().values())[1:]]),
        msgspec.msgpack.encode([True, *list(features().values())[1:]]),
        msgspec.msgpack.encode({"amount": 1}),
    ],
)
def test_values_that_are_not_those_of_their_catalogue_are_damaged(packed: bytes) -> None:
    with pytest.raises(DamagedFeaturesError, match=f"^no features of set {FEATURE_SET}$"):
        read_features(packed, FEATURE_SET)


def test_a_set_that_is_not_known_is_refused_however_it_is_read() -> None:
    with pytest.raises(FeatureSetError, match=r"^feature set 00aaff; known are "):
        read_features(pack(features()), "00aaff")
    with pytest.raises(FeatureSetError, match=r"^feature set 00aaff; known are "):
        differing("00aaff")
