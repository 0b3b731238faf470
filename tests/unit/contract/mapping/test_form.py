"""What a mapping says of a file as a whole, and what means no value or a number that lost its digits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contract.errors import MappingError
from contract.mapping.document import parse_mapping
from contract.mapping.form import FileForm
from contract.mapping.row import MappedRow, RowMapper
from contract.mapping.values import IDS

BASE = "transaction_id: i\nuser_id: u\namount: a\ntimestamp: t\n"
ROW = {"i": "t1", "u": "u1", "a": "1.00", "t": "2026-01-05T12:30:00Z"}


def mapped(lines: str, **row: object) -> MappedRow:
    """Map a row by these lines of a mapping."""
    return RowMapper(parse_mapping(BASE + lines, "map.yaml")).map_row({**ROW, **row}.items())


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        ("encoding: UTF_16", FileForm(encoding="utf-16")), ("encoding: latin1", FileForm(encoding="iso-8859-1")),
        ("encoding: cp1252", FileForm(encoding="windows-1252")), ('delimiter: "\\t"', FileForm(delimiter="\t")),
        ('delimiter: ";"\ndecimal: ","', FileForm(delimiter=";", decimal=",")), ("nulls: []", FileForm(nulls=())),
        ('nulls: ["-", "NULL"]', FileForm(nulls=("-", "NULL"))), ("thousands: \"'\"", FileForm(thousands="'")),
    ],
)  # fmt: skip
def test_a_mapping_says_how_the_file_is_written(lines: str, form: FileForm) -> None:
    assert parse_mapping(BASE + lines, "map.yaml").form == form


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("encoding: rot13", "encoding: 'rot13' is not one of utf-8, utf-16"), ("delimiter: ab", "delimiter: 'ab' is not one character"),
        ("delimiter: a", "delimiter: 'a' is not"), ("delimiter: '\"'", "delimiter: "), ('decimal: ";"', "decimal: ';' is neither"),
        ('thousands: "."', "thousands: '.' is what separates decimals"), ('thousands: "x"', "thousands: 'x' is not one of"),
        ("nulls: NULLE", "nulls: needs a list of texts"), ("encoding: [a]", "encoding: needs one text"),
        ('decimal: ","\nthousands: ","', "thousands: ',' is what separates decimals"),
    ],
)  # fmt: skip
def test_what_no_file_is_written_in_is_refused_with_what_is_allowed(lines: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse_mapping(BASE + lines, "map.yaml")

    assert f"map.yaml: {message}" in str(caught.value)


@pytest.mark.parametrize(
    "written", ["NULL", r"\N", "null", "N/A", " NULL ", "#N/A", "(null)", "NaN", "", "  "]
)
def test_a_null_marker_in_an_optional_column_is_no_value(written: str) -> None:
    unmapped = RowMapper().map_row({"device_id": written, "country": written, "user_id": "u1"}.items())

    found = mapped("device_id: d\ncountry: c", d=written, c=written)

    assert set(found.record) == {"transaction_id", "user_id", "amount", "timestamp"}
    assert not found.problems
    assert unmapped.record == {"user_id": "u1"}


@pytest.mark.parametrize("written", ["null", "NULL", r"\N", "N/A"])
def test_a_user_is_not_lost_for_being_called_like_a_marker(written: str) -> None:
    unmapped = RowMapper().map_row({"user_id": written, "transaction_id": written}.items())

    found = mapped("", u=written, i=written)

    assert (found.record["user_id"], found.record["transaction_id"], found.problems) == (written, written, [])
    assert unmapped.record == {"user_id": written, "transaction_id": written}


@pytest.mark.parametrize(
    ("column", "value"), [("country", "NA"), ("city", "None"), ("city", "Null"), ("city", "nan")]
)
def test_namibia_and_places_that_look_empty_are_kept(column: str, value: str) -> None:
    found = mapped(f"{column}: c", c=value)

    assert found.record["location"] == {column: value}


@pytest.mark.parametrize(
    ("lines", "kept"), [('nulls: ["-"]', {"device_id": "NULL"}), ("nulls: []", {"device_id": "NULL", "channel": "-"}), ('nulls: ["-", "NULL"]', {})]
)  # fmt: skip
def test_a_mapping_names_its_own_markers(lines: str, kept: dict[str, str]) -> None:
    found = mapped(f"device_id: d\nchannel: c\n{lines}", d="NULL", c="-")

    assert {key: found.record[key] for key in ("device_id", "channel") if key in found.record} == kept


def test_a_marker_leaves_its_place_to_the_next_column_of_the_field() -> None:
    found = RowMapper().map_row({"device_id": "NULL", "device": "d1"}.items())

    assert found.record == {"device_id": "d1"}


@pytest.mark.parametrize("field", sorted(IDS))
@pytest.mark.parametrize(
    "written", ["3.51238E+15", "3,51238E+15", "3.5e15", "4E+15", "351238E+10", Decimal("3.51238E+15")]
)
def test_an_id_that_lost_digits_is_refused_in_every_id_column(field: str, written: object) -> None:
    column = {"transaction_id": "i", "user_id": "u"}.get(field, "x")
    lines = "" if column != "x" else f"{field}: x"
    unmapped = RowMapper().map_row({field: written}.items())

    found = mapped(lines, **{column: written})

    assert [(each.field, "last digits are lost" in each.problem) for each in found.problems] == [
        (field, True)
    ]
    assert [each.field for each in unmapped.problems] == [field]


@pytest.mark.parametrize(
    ("written", "text"),
    [("3.512380000001E+12", "3512380000001"), ("12E5", "12E5"), ("1e3", "1e3"), ("9d7e3f", "9d7e3f"), ("E+15", "E+15"), (Decimal("4.222222222222E12"), "4222222222222")],
)  # fmt: skip
def test_an_id_with_all_its_digits_is_kept(written: object, text: str) -> None:
    found = mapped("", u=written)

    assert (found.record["user_id"], found.problems) == (text, [])


@pytest.mark.parametrize(
    ("row", "card"), [({"U": "0", "C": "1"}, "0-1"), ({"U": 0, "C": ""}, "0-"), ({"U": "", "C": None}, None)]
)
def test_several_columns_make_an_id(row: dict[str, object], card: str | None) -> None:
    found = mapped("card_id: {columns: [U, C]}", **row)

    assert found.record.get("card_id") == card


def test_a_mapping_gives_the_currency_that_the_file_does_not_have() -> None:
    found = mapped("currency: {value: BRL}")

    assert (found.record["currency"], found.problems) == ("BRL", [])


@pytest.mark.parametrize(("written", "degrees"), [("52,52", 52.52), ("-0,1", -0.1)])
def test_degrees_follow_the_decimal_separator(written: str, degrees: float) -> None:
    found = mapped('latitude: x\nlongitude: x\ndecimal: ","', a="1,00", x=written)

    assert found.record["location"] == {"latitude": degrees, "longitude": degrees}


def test_degrees_in_another_notation_than_the_mapping_says_are_left_out_and_named() -> None:
    found = mapped('latitude: x\nlongitude: x\ndecimal: ","', a="1,00", x="52.520")

    assert found.record["invalid_fields"] == ["location.latitude", "location.longitude"]
