"""DynamoDB's wire form, with values that no row of ours has but a mistake could."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from contract.errors import InvalidRowError
from contract.items import from_item, to_attribute, to_item


class Row(msgspec.Struct, omit_defaults=True):
    share: float = 0.0
    amount: Decimal = Decimal(0)
    count: int = 0
    names: tuple[str, ...] = ()


rows = st.builds(
    Row,
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15),
    st.integers(-(2**63), 2**63),
    st.lists(st.text()).map(tuple),
)


@given(rows)
def test_numbers_and_texts_are_read_back_exactly(row: Row) -> None:
    assert from_item("rows", to_item(row), Row) == row


class Named(msgspec.Struct):
    names: dict[str, Annotated[str, Meta(max_length=3)]]
    number: Annotated[int, Meta(ge=0)] = 0


@pytest.mark.parametrize(
    ("row", "attribute"), [(Named({"a": "four"}), "names[...]"), (Named({}, -1), "number")]
)
def test_row_that_could_not_be_read_back_is_not_written(row: Named, attribute: str) -> None:
    with pytest.raises(InvalidRowError) as refusal:
        to_item(row)

    assert (refusal.value.table, refusal.value.attribute) == ("Named", attribute)
    assert "four" not in str(refusal.value)


def test_value_without_a_type_of_dynamodb_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no DynamoDB type"):
        to_attribute(object())


@pytest.mark.parametrize("attribute", [{"N": "x"}, {"N": "Infinity"}, {"S": "a", "N": "1"}, 5, {"L": ["a"]}])
def test_attribute_that_is_not_typed_is_named(attribute: object) -> None:
    with pytest.raises(InvalidRowError) as refusal:
        from_item("rows", {"count": attribute}, Row)

    assert (refusal.value.table, refusal.value.attribute) == ("rows", "count")
