"""Event times in the forms of the field: counts, offsets, parts in several columns, and digits that have two readings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contract.errors import InvalidTransactionError, MappingError
from contract.mapping.document import parse_mapping
from contract.mapping.row import MappedRow, RowMapper
from contract.mapping.times import timestamp, width_of


def mapped(source: str, **row: object) -> MappedRow:
    """Map a row by this source of its timestamp."""
    mapping = parse_mapping(f"user_id: u\namount: a\ntimestamp: {source}", "map.yaml")
    return RowMapper(mapping).map_row({"u": "u1", "a": "1.00", **row}.items())


@pytest.mark.parametrize(
    "written",
    ["1124103000", 1124103000, "260105123000", 260105123000, "2601051230", "2026010512", "20260105123000", "202601051230",
     "0105123000", "20260105", "2026010512300000", "010512300", Decimal("1124103000.5")],
)  # fmt: skip
def test_digits_that_can_be_a_date_are_no_epoch(written: object) -> None:
    with pytest.raises(
        InvalidTransactionError, match=r"^timestamp: a number, and not s, ms or us since 1970"
    ):
        timestamp(written)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1325376018", "2012-01-01T00:00:18+00:00"), (1767616200, "2026-01-05T12:30:00+00:00"),
        ("1767616200123", "2026-01-05T12:30:00.123000+00:00"), (1767616200123456, "2026-01-05T12:30:00.123456+00:00"),
        ("1262304000", "2010-01-01T00:00:00+00:00"), ("1999999999", "2033-05-18T03:33:19+00:00"),
    ],
)  # fmt: skip
def test_an_epoch_in_its_window_is_read_in_all_three_units(written: object, expected: str) -> None:
    assert timestamp(written) == expected


@pytest.mark.parametrize(
    ("source", "written", "expected"),
    [
        ('{column: t, format: "%m%d%H%M%S", year: 2026}', "1124103000", "2026-11-24T10:30:00.000000Z"),
        ('{column: t, format: "%y%m%d%H%M%S"}', "260105123000", "2026-01-05T12:30:00.000000Z"),
        ('{column: t, format: "%y%m%d%H%M%S"}', 260105123000, "2026-01-05T12:30:00.000000Z"),
        ('{column: t, format: "%Y%m%d%H%M"}', "202601051230", "2026-01-05T12:30:00.000000Z"),
        ('{column: t, format: "%m%d%H%M%S", year: 2024}', "0229103000", "2024-02-29T10:30:00.000000Z"),
        ("{column: t, unit: s}", "1124103000", "2005-08-15T10:50:00.000000Z"),
    ],
)
def test_a_mapping_gives_digits_their_format(source: str, written: object, expected: str) -> None:
    found = mapped(source, t=written)

    assert (found.record["timestamp"], found.problems) == (expected, [])


@pytest.mark.parametrize("written", [105123000, "105123000", "01051230", "010512300000"])
def test_digits_without_their_leading_zero_are_not_read_as_another_day(written: object) -> None:
    found = mapped('{column: t, format: "%m%d%H%M%S", year: 2026}', t=written)

    assert [(each.field, "format has 10" in each.problem) for each in found.problems] == [("timestamp", True)]


@pytest.mark.parametrize(
    ("form", "width"),
    [
        ("%m%d%H%M%S", 10),
        ("%Y%m%d", 8),
        ("%d/%m/%Y", None),
        ("%Y%j", 7),
        ("%Y%m%dT%H%M%S", 15),
        ("%Y%m%d %B", None),
    ],
)
def test_only_a_format_of_numbers_side_by_side_has_a_width(form: str, width: int | None) -> None:
    assert width_of(form) == width


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-05 12:30:00+00", "2026-01-05T12:30:00.000000Z"), ("2026-01-05 12:30:00+0000", "2026-01-05T12:30:00.000000Z"),
        ("2026-01-05 12:30:00 UTC", "2026-01-05T12:30:00.000000Z"), ("2026-01-05 12:30:00.5+02", "2026-01-05T10:30:00.500000Z"),
        ("2026-01-05T12:30:00-0330", "2026-01-05T16:00:00.000000Z"), ("2026-01-05 12:30:00 +01:00", "2026-01-05T11:30:00.000000Z"),
        ("2026-01-05 12:30:00Z", "2026-01-05T12:30:00.000000Z"),
    ],
)  # fmt: skip
def test_an_offset_is_read_the_same_with_and_without_a_mapping(written: str, expected: str) -> None:
    unmapped = RowMapper().map_row({"user_id": "u1", "timestamp": written}.items()).record["timestamp"]
    again = mapped("t", t=unmapped)

    found = mapped("t", t=written)

    assert (found.record["timestamp"], found.problems) == (expected, [])
    assert again.record["timestamp"] == expected


@pytest.mark.parametrize(
    ("unit", "written", "expected"),
    [
        ("h", "1", "2026-01-01T01:00:00.000000Z"), ("h", 743, "2026-01-31T23:00:00.000000Z"),
        ("d", "1.5", "2026-01-02T12:00:00.000000Z"), ("min", 90, "2026-01-01T01:30:00.000000Z"),
        ("h", "0", "2026-01-01T00:00:00.000000Z"), ("s", "1e+05", "2026-01-02T03:46:40.000000Z"),
    ],
)  # fmt: skip
def test_a_count_since_a_start_is_read_in_its_unit(unit: str, written: object, expected: str) -> None:
    found = mapped(f'{{column: t, unit: {unit}, origin: "2026-01-01T00:00:00Z"}}', t=written)

    assert (found.record["timestamp"], found.problems) == (expected, [])


@pytest.mark.parametrize(
    ("unit", "written"), [("ms", "1767616200"), ("s", "1767616200123"), ("us", "1767616200123"), ("d", "1767616200")]
)  # fmt: skip
def test_a_count_since_1970_in_another_unit_than_the_mapping_says_is_refused(unit: str, written: str) -> None:
    found = mapped(f"{{column: t, unit: {unit}}}", t=written)

    assert [problem.field for problem in found.problems] == ["timestamp"]


@pytest.mark.parametrize("unit", ["w", "hours", "H", "y"])
def test_an_unknown_unit_is_refused_with_those_that_there_are(unit: str) -> None:
    with pytest.raises(MappingError, match=rf"timestamp: unit '{unit}'; there are us, ms, s, min, h, d$"):
        mapped(f"{{column: t, unit: {unit}}}", t="1")


TABFORMER = '{columns: [Year, Month, Day, Time], format: "%Y %m %d %H:%M"}'


@pytest.mark.parametrize(
    ("source", "row", "expected"),
    [
        (TABFORMER, {"Year": "2002", "Month": "9", "Day": "1", "Time": "06:21"}, "2002-09-01T06:21:00.000000Z"),
        (TABFORMER, {"Year": 2002, "Month": 9, "Day": 1, "Time": "06:21"}, "2002-09-01T06:21:00.000000Z"),
        ("{columns: [date, time]}", {"date": "2026-01-05", "time": "12:30:00"}, "2026-01-05T12:30:00.000000Z"),
        ("{columns: [date, time], timezone: Europe/Berlin}", {"date": "2026-01-05", "time": "12:30"}, "2026-01-05T11:30:00.000000Z"),
    ],
)  # fmt: skip
def test_several_columns_make_a_time(source: str, row: dict[str, object], expected: str) -> None:
    found = mapped(source, **row)

    assert (found.record["timestamp"], found.problems) == (expected, [])


@pytest.mark.parametrize("missing", ["Year", "Month", "Day", "Time"])
def test_a_time_without_one_of_its_parts_is_missing_and_names_its_columns(missing: str) -> None:
    row: dict[str, object] = {"Year": "2002", "Month": "9", "Day": "1", "Time": "06:21", missing: " "}

    found = mapped(TABFORMER, **row)

    assert [problem.problem for problem in found.problems] == [
        "missing; its columns are 'Year', 'Month', 'Day', 'Time'"
    ]
