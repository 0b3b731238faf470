from __future__ import annotations

import json

import pytest

from benchmarks.item_size import inserted_items, item_bytes, write_units


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"N": "1"}, 2),
        ({"N": "123456"}, 4),
        ({"N": "-12.50"}, 4),
        ({"N": "1000"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": "AAECAw=="}, 4),
        ({"L": [{"S": "ab"}, {"BOOL": False}]}, 3 + 3 + 2),
        ({"M": {"k": {"S": "ab"}}}, 3 + 1 + 1 + 2),
    ],
)
def test_the_size_of_a_value_is_that_of_the_developer_guide(value: dict[str, object], size: int) -> None:
    assert item_bytes({"name": value}) == len("name") + size


def test_a_type_without_a_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="XX"):
        item_bytes({"name": {"XX": "1"}})


@pytest.mark.parametrize(("size", "units"), [(1, 1), (1024, 1), (1025, 2), (2048, 2)])
def test_each_kib_begun_takes_a_write_unit(size: int, units: int) -> None:
    assert write_units(size) == units


def test_the_items_of_an_insert_are_its_names_and_parameters() -> None:
    statement = {
        "Statement": "INSERT INTO \"t\" VALUE {'user_id': ?, 'risk_score': ?}",
        "Parameters": [{"S": "u"}, {"N": "5"}],
    }

    items = list(inserted_items(json.dumps({"Statements": [statement, statement]})))

    assert items == [{"user_id": {"S": "u"}, "risk_score": {"N": "5"}}] * 2


def test_a_statement_without_one_parameter_for_each_attribute_is_an_error() -> None:
    statement = {"Statement": "INSERT INTO \"t\" VALUE {'a': ?, 'b': ?}", "Parameters": [{"S": "u"}]}

    with pytest.raises(ValueError, match="not an insert"):
        list(inserted_items(json.dumps({"Statements": [statement]})))
