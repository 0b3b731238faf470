from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contract.errors import MappingError
from contract.mapping.document import Source, guess_mapping, read_mapping, zone

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = ("who", "cents", "when", "fraud", "kind")
VALID = "user_id: who\namount: cents\ntimestamp: when\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    return path


def test_a_mapping_names_columns_constants_and_the_truth(tmp_path: Path) -> None:
    text = VALID + "currency: {value: EUR}\nlabel: {column: fraud, fraud_values: ['Y']}\nscenario: kind\n"

    mapping = read_mapping(written(tmp_path, text), COLUMNS)

    assert mapping.fields == {
        "user_id": Source(column="who"),
        "amount": Source(column="cents"),
        "timestamp": Source(column="when"),
        "currency": Source(value="EUR"),
    }
    assert mapping.label == Source(column="fraud", fraud_values=("Y",))
    assert mapping.scenario == Source(column="kind")


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("payer: who", "payer", "not a field"),
        ("channel: which", "channel", "no column 'which'; the file has who, cents"),
        ("channel: {colum: who}", "channel", "unknown field `colum`"),
        ("channel: {column: who, value: pos}", "channel", "not both"),
        ("channel: {values: {a: b}}", "channel", "needs a column or a value"),
        ("channel: [who]", "channel", "Expected `object`"),
        ("amount: {column: cents, unit: s}", "amount", "unit 's'; minor"),
        ("timestamp: {column: when, unit: minor}", "timestamp", "s or ms or us"),
        ("channel: {column: who, unit: ms}", "channel", "it has none"),
        ("channel: {column: who, format: '%Y'}", "channel", "for the timestamp"),
        ("channel: {column: who, fraud_values: ['1']}", "channel", "for the label"),
        (
            "timestamp: {column: when, timezone: Atlantis/Centre}",
            "timestamp",
            "no time zone 'Atlantis/Centre'",
        ),
        ("timestamp: {column: when, timezone: '+99'}", "timestamp", "no offset"),
        ("timestamp: {column: when, origin: 2020}", "timestamp", "Expected `str`"),
        ("timestamp: {column: when, origin: '2020-01-01T00:00:00'}", "timestamp", "has no time zone"),
        ("timestamp: {column: when, origin: 'soon'}", "timestamp", "not RFC 3339"),
        ("scenario: kind", "scenario", "needs a label"),
    ],
)
def test_an_error_names_the_key_and_what_is_wrong(
    tmp_path: Path, line: str, field: str, problem: str
) -> None:
    kept = [row for row in VALID.splitlines() if not row.startswith(line.split(":")[0])]

    with pytest.raises(MappingError) as error:
        read_mapping(written(tmp_path, "\n".join([*kept, line])), COLUMNS)

    assert error.value.field == field
    assert problem in error.value.problem


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_what_is_no_mapping_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(MappingError, match=r"map\.yaml"):
        read_mapping(written(tmp_path, text), COLUMNS)


def test_a_missing_mapping_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.yaml does not exist"):
        read_mapping(tmp_path / "none.yaml", COLUMNS)


def test_columns_are_known_by_their_usual_names() -> None:
    mapping = guess_mapping(
        ("trans_num", "customerId", "amt", "event_time", "lat", "long", "is_fraud", "row_no")
    )

    assert {field: source.column for field, source in mapping.fields.items()} == {
        "transaction_id": "trans_num",
        "user_id": "customerId",
        "amount": "amt",
        "timestamp": "event_time",
        "latitude": "lat",
        "longitude": "long",
    }
    assert mapping.label == Source(column="is_fraud")


def test_the_more_telling_of_two_names_counts() -> None:
    mapping = guess_mapping(("id", "user", "user_id", "transaction_id", "amount", "timestamp", "scenario"))

    assert mapping.fields["user_id"].column == "user_id"
    assert mapping.fields["transaction_id"].column == "transaction_id"
    assert mapping.scenario is None


def test_what_is_missing_is_told_with_the_columns_found_and_how_to_map_them() -> None:
    with pytest.raises(MappingError) as error:
        guess_mapping(("V1", "amount", "Class"))

    for part in ("user_id, timestamp", "V1, amount, Class", "MAP=map.yaml", "synccfd.yaml"):
        assert part in error.value.problem


def test_zones_are_names_or_offsets() -> None:
    assert zone(None).utcoffset(None) == timedelta(0)
    assert zone("-03:00").utcoffset(None) == timedelta(hours=-3)
    assert str(zone("Europe/Berlin")) == "Europe/Berlin"
