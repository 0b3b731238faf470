"""The mapping document: what can be written in it, and what each error names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract.errors import MappingError
from contract.mapping.document import Source, guess_mapping, parse_mapping, zone

VALID = "user_id: who\namount: cents\ntimestamp: when\n"
COLUMNS = ("who", "cents", "when", "fraud", "kind")


def test_a_mapping_names_columns_constants_and_the_truth() -> None:
    text = (
        VALID
        + "currency: {value: EUR}\nlabel: {column: fraud, fraud_values: ['Y']}\nscenario: kind\nincident: case\n"
    )

    mapping = parse_mapping(text, "map.yaml")

    assert mapping.fields == {
        "user_id": Source(column="who"),
        "amount": Source(column="cents"),
        "timestamp": Source(column="when"),
        "currency": Source(value="EUR"),
    }
    assert mapping.label == Source(column="fraud", fraud_values=("Y",))
    assert mapping.scenario == Source(column="kind")
    assert mapping.incident == Source(column="case")
    assert mapping.source == "map.yaml"


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("payer: who", "payer", "not a field"),
        ("channel: {colum: who}", "channel", "unknown field `colum`"),
        ("channel: {column: who, value: pos}", "channel", "only one of them"),
        ("channel: {values: {a: b}}", "channel", "needs a column, columns or a value"),
        ("channel: [who]", "channel", "Expected `object`"),
        ("amount: {column: cents, unit: s}", "amount", "unit 's'; there are minor"),
        ("timestamp: {column: when, unit: minor}", "timestamp", "there are us, ms, s, min, h, d"),
        ("channel: {column: who, unit: ms}", "channel", "it has none"),
        ("channel: {column: who, format: '%Y'}", "channel", "format is for the timestamp"),
        ("channel: {column: who, fraud_values: ['1']}", "channel", "fraud_values is for the label"),
        (
            "timestamp: {column: when, timezone: Atlantis/Centre}",
            "timestamp",
            "no time zone 'Atlantis/Centre'",
        ),
        ("timestamp: {column: when, timezone: '+99'}", "timestamp", "no offset"),
        ("timestamp: {column: when, origin: 2020}", "timestamp", "not RFC 3339"),
        (
            "timestamp: {column: when, format: '%d/%m/%Y %H:%M %Z'}",
            "timestamp",
            "%Z, which depends on the machine",
        ),
        ("timestamp: {column: when, format: 'YYYY-MM-DD'}", "timestamp", "no year and no month and no day"),
        ("timestamp: {column: when, format: '%d/%m %H:%M'}", "timestamp", "has no year"),
        ("timestamp: {column: when, format: '%H:%M %Y'}", "timestamp", "has no month and no day"),
        ("timestamp: {column: when, format: '%Y-%m %%d'}", "timestamp", "has no day"),
        ("timestamp: {column: when, format: '%Y%m%d %Q'}", "timestamp", "%Q, which strptime does not know"),
        ("timestamp: {column: when, format: '%Y%m%d%'}", "timestamp", "which strptime does not know"),
        ("timestamp: {column: when, origin: '2020-01-01T00:00:00'}", "timestamp", "has no time zone"),
        ("timestamp: {column: when, origin: 'soon'}", "timestamp", "not RFC 3339"),
        ("scenario: kind", "scenario", "needs a label"),
        ("incident: kind", "incident", "needs a label"),
        ("channel: {column: who, unit: minor}", "channel", "it has none"),
        ("amount: {column: cents, origin: '2020-01-01T00:00:00Z'}", "amount", "origin is for the timestamp"),
        ("timestamp: {column: when, unit: s, format: '%Y'}", "timestamp", "one of them"),
        ("timestamp: {column: when, timezone: Europe}", "timestamp", "no time zone 'Europe'"),
        (
            "country: {value: NO}",
            "country",
            "'NO' is neither text nor a plain decimal number; put it in quotes",
        ),
        ("merchant_category: {value: 0742}", "merchant_category", "'0742' is neither"),
        ("merchant_category: {value: 12:30:45}", "merchant_category", "put it in quotes"),
        ("merchant_category: {value: .inf}", "merchant_category", "put it in quotes"),
        ("merchant_category: {value: 0x1F}", "merchant_category", "put it in quotes"),
        ("merchant_category: {value: 1_000}", "merchant_category", "put it in quotes"),
        ("merchant_category: {value: 1.5e+3}", "merchant_category", "put it in quotes"),
        ("merchant_category: {value: 2026-01-05}", "merchant_category", "put it in quotes"),
        ("country: {column: who, values: {Norge: NO}}", "country", "put it in quotes"),
        ("country: {column: who, values: {NO: XX}}", "country", "put it in quotes"),
        ("country: {column: who, values: {XX: null}}", "country", "put it in quotes"),
        ("country: {column: who, values: {XX: }}", "country", "nothing is neither text"),
        ("channel: {column: who, values: {a: [b]}}", "channel", "Expected `str`"),
        ("channel: &a {column: who, values: *a}", "channel", "Expected `"),
        ("country: {value: ' '}", "country", "blank"),
        ("channel: {column: who, values: {CP: pos, CP: online}}", "CP", "exists twice"),
        ("channel: who\nchannel: kind", "channel", "exists twice"),
    ],
)
def test_an_error_names_the_file_the_key_and_what_is_wrong(line: str, field: str, problem: str) -> None:
    kept = [row for row in VALID.splitlines() if not row.startswith(line.split(":")[0])]

    with pytest.raises(MappingError) as error:
        parse_mapping("\n".join([*kept, line]), "map.yaml")

    assert error.value.field == field
    assert problem in error.value.problem
    assert str(error.value).startswith(f"map.yaml: {field}: ")


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n"])
def test_what_is_no_mapping_is_an_error(text: str) -> None:
    with pytest.raises(MappingError, match=r"map\.yaml"):
        parse_mapping(text, "map.yaml")


@pytest.mark.parametrize("key", ["channel", "label", "scenario", "incident", "appended_at"])
def test_a_column_that_a_file_does_not_have_is_named_with_those_that_it_has(key: str) -> None:
    columns = {"label": "fraud", "scenario": "kind"} | {key: "which"}
    mapping = parse_mapping(
        VALID + "".join(f"{name}: {column}\n" for name, column in columns.items()), "map.yaml"
    )

    with pytest.raises(MappingError) as error:
        mapping.check_columns(COLUMNS)

    assert error.value.field == key
    assert "no column 'which'; the file has who, cents" in error.value.problem
    assert error.value.source == "map.yaml"


def test_plain_numbers_are_text_as_they_are_written() -> None:
    text = (
        VALID
        + "channel: {column: who, values: {1: 2, 1.50: '0742'}}\ncountry: {value: 7.10}\ncity: {value: '0742'}\ncard_id: 5\n"
    )

    fields = parse_mapping(text, "map.yaml").fields

    assert fields["channel"].values == {"1": "2", "1.50": "0742"}
    assert (fields["country"].value, fields["city"].value) == ("7.10", "0742")
    assert fields["card_id"].column == "5"


@pytest.mark.parametrize("written", ["%d.%m.%y", "%j %Y", "%c", "%B %d, %Y %I:%M %p %z", "100%% %Y%m%d"])
def test_a_format_has_a_year_a_month_and_a_day(written: str) -> None:
    text = VALID.replace("when", f"{{column: when, format: '{written}'}}")

    assert parse_mapping(text, "map.yaml").fields["timestamp"].format == written


def test_a_mapping_that_was_guessed_says_so() -> None:
    assert guess_mapping(COLUMNS).is_guess
    assert not parse_mapping(VALID, "map.yaml").is_guess


def test_a_file_may_have_more_columns_than_are_mapped() -> None:
    parse_mapping(VALID, "map.yaml").check_columns(COLUMNS)


def test_fields_without_a_source_are_named() -> None:
    assert parse_mapping(VALID, "map.yaml").missing(("transaction_id", "user_id")) == ["transaction_id"]


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


def test_the_more_specific_of_two_names_counts() -> None:
    mapping = guess_mapping(("id", "user", "user_id", "transaction_id", "amount", "timestamp", "scenario"))

    assert mapping.fields["user_id"].column == "user_id"
    assert mapping.fields["transaction_id"].column == "transaction_id"
    assert mapping.scenario is None


def test_zones_are_names_or_offsets() -> None:
    assert zone(None).utcoffset(None) == timedelta(0)
    assert zone("-03:00").utcoffset(None) == timedelta(hours=-3)
    assert str(zone("Europe/Berlin")) == "Europe/Berlin"
