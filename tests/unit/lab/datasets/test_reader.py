from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.card_tokens import CardTokens
from contract.transaction import decode_transaction
from contract.truth import SentPayment, Truth
from glue_scripts.rows import Published, Refused, RowCleaner
from lab.datasets import DatasetError, in_order, open_dataset, reader, sorting
from lab.datasets.files import Row, read_rows
from simulator.landing import LandingConfig, landing_files
from simulator.senders import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.mapping.document import ColumnMapping

NOW = datetime(2026, 3, 31, tzinfo=UTC)
ROWS = RowCleaner(CardTokens(b"a key of sixteen bytes"))
RATES = {"USD": 1.0, "EUR": 1.25}


def read(tmp_path: Path, data: str, mapping: str | None = None, name: str = "t.csv") -> list[SentPayment]:
    (tmp_path / name).write_text(data)
    path = tmp_path / "map.yaml"
    if mapping is not None:
        path.write_text(mapping)
    return list(open_dataset(tmp_path / name, RATES, None if mapping is None else path).transactions())


def test_fields_are_read_in_the_forms_that_the_mapping_names(tmp_path: Path) -> None:
    data = "nr,who,cents,when,kind,y,x,bad,how\n7,ann,123450,05/01/2026 12:30,CP,52.5,13.4,Y,cloned\n"
    mapping = """
transaction_id: nr
user_id: who
amount: {column: cents, unit: minor}
currency: {value: EUR}
timestamp: {column: when, format: "%d/%m/%Y %H:%M", timezone: "+02:00"}
channel: {column: kind, values: {CP: pos, CNP: online}}
latitude: y
longitude: x
country: {value: DE}
label: {column: bad, fraud_values: ["y"]}
scenario: how
"""

    (found,) = read(tmp_path, data, mapping)

    assert found.record == {
        "transaction_id": "7",
        "user_id": "ann",
        "amount": "1234.50",
        "currency": "EUR",
        "timestamp": "2026-01-05T10:30:00.000000Z",
        "channel": "pos",
        "location": {"latitude": 52.5, "longitude": 13.4, "country": "DE"},
    }
    assert (found.truth.scenario, found.truth.incident_id) == ("cloned", "ann#1")
    assert found.truth.amount_base == pytest.approx(1234.5 * 1.25)


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("", "2019-01-01 00:00:18", "2019-01-01T00:00:18.000000Z"),
        ("", "2019-01-01T00:00:18+02:00", "2018-12-31T22:00:18.000000Z"),
        ("", "1546300818", "2019-01-01T00:00:18.000000Z"),
        ("", "1546300818123", "2019-01-01T00:00:18.123000Z"),
        (", format: '%Y-%m-%d'", "2019-01-01", "2019-01-01T00:00:00.000000Z"),
        (", timezone: America/New_York", "2019-07-01 12:00:00", "2019-07-01T16:00:00.000000Z"),
        (", unit: s, origin: '2013-09-01T00:00:00Z'", "86406.5", "2013-09-02T00:00:06.500000Z"),
        (", unit: ms", "1546300818000", "2019-01-01T00:00:18.000000Z"),
        (", unit: us", "1546300818000001", "2019-01-01T00:00:18.000001Z"),
    ],
)
def test_event_times_however_old_become_utc(tmp_path: Path, options: str, text: str, expected: str) -> None:
    mapping = f"user_id: u\namount: a\ntimestamp: {{column: t{options}}}\n"

    (found,) = read(tmp_path, f"u,a,t\nann,1,{text}\n", mapping)

    assert found.record["timestamp"] == expected


def test_rows_come_by_event_time_and_those_without_one_last(tmp_path: Path) -> None:
    data = "id,user,amount,time\n1,a,1,2026-01-03 00:00:00\n2,a,1,soon\n3,a,1,2026-01-01 00:00:00\n"

    assert [each.transaction_id for each in read(tmp_path, data)] == ["3", "1", "2"]


def test_a_data_set_of_many_runs_comes_by_event_time_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = "id,user,amount,time\n1,a,1,2026-01-03 00:00:00\n2,a,1,2026-01-02 00:00:00\n3,a,1,2026-01-01 00:00:00\n"
    monkeypatch.setattr(reader, "in_clock_order", partial(sorting.in_clock_order, run_rows=1))

    assert [each.transaction_id for each in read(tmp_path, data)] == ["3", "2", "1"]


def test_a_limit_reads_only_so_many_rows_the_first_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "b.csv"):
        rows = "".join(f"{name}{n},u,1,2026-01-0{9 - n} 00:00:00\n" for n in range(5))
        (tmp_path / name).write_text("id,user,amount,time\n" + rows)
    drawn: list[Row] = []

    def recorded(path: Path, mapping: ColumnMapping) -> Iterator[Row]:
        for row in read_rows(path, mapping):
            drawn.append(row)
            yield row

    monkeypatch.setattr(reader, "read_rows", recorded)

    found = list(open_dataset(tmp_path, RATES).transactions(limit=6))

    assert [each.transaction_id for each in found] == [
        "a.csv4",
        "a.csv3",
        "a.csv2",
        "a.csv1",
        "a.csv0",
        "b.csv0",
    ]
    assert len(drawn) == 6


def test_ids_are_made_of_the_row_where_there_are_none(tmp_path: Path) -> None:
    header, rows = (
        "user,amount,time\n",
        ["a,1,2026-01-01 00:00:00\n", "a,1,2026-01-01 00:00:00\n", "b,1,2026-01-01 00:00:00\n"],
    )

    ids = [each.transaction_id for each in read(tmp_path, header + "".join(rows))]
    turned = [each.transaction_id for each in read(tmp_path, header + "".join(reversed(rows)))]

    assert len(set(ids)) == 3
    assert set(turned) == set(ids)
    tokens = CardTokens(b"a key of sixteen bytes")
    assert all(tokens.replace(each) == each for each in ids)


def test_the_wires_own_form_is_read_without_a_mapping(tmp_path: Path) -> None:
    record = {
        "transaction_id": "t1", "user_id": "u1", "amount": "12.30", "currency": "EUR",
        "timestamp": "2026-01-05T12:30:00.000001Z", "channel": "pos",
        "location": {"latitude": 52.5, "longitude": 13, "country": "DE", "city": "Berlin", "zip": "10115"},
    }  # fmt: skip

    (found,) = read(tmp_path, json.dumps(record), name="t.jsonl")

    location = {"latitude": 52.5, "longitude": 13.0, "country": "DE", "city": "Berlin"}
    assert found.record == record | {"location": location}


@pytest.mark.parametrize("text", ["1", "1.0", "TRUE", "yes", " Fraud "])
def test_usual_words_for_fraud_are_known(tmp_path: Path, text: str) -> None:
    (found,) = read(tmp_path, f"user,amount,time,is_fraud\na,1,2026-01-01 00:00:00,{text}\n")

    assert found.truth.scenario == "fraud"


@pytest.mark.parametrize(
    ("label", "number", "is_fraud"),
    [
        ("bad", "1", True), ("bad", "1.0", True), ("bad", "1e0", True), ("bad", "true", True), ("bad", "0.0", False),
        ("{column: bad, fraud_values: ['1.0']}", "1.0", True), ("{column: bad, fraud_values: ['2']}", "2.0", True),
        ("{column: bad, values: {'3': 'yes'}}", "3.0", True), ("bad", "null", False),
    ],
)  # fmt: skip
def test_a_label_that_is_a_json_number_is_found_however_it_is_spelled(
    tmp_path: Path, label: str, number: str, is_fraud: bool
) -> None:
    mapping = f"user_id: u\namount: a\ntimestamp: t\nlabel: {label}\nscenario: how\n"
    line = f'{{"u": "ann", "a": 1, "t": "2026-01-01T00:00:00Z", "bad": {number}, "how": 4.0}}\n'

    (found,) = read(tmp_path, line, mapping, name="t.jsonl")

    assert found.truth.scenario == ("4" if is_fraud else None)


@pytest.mark.parametrize("text", ["0", "false", "", "no"])
def test_other_words_are_not_fraud(tmp_path: Path, text: str) -> None:
    (found,) = read(tmp_path, f"user,amount,time,is_fraud,scenario\na,1,2026-01-01 00:00:00,{text},x\n")

    assert (found.truth.scenario, found.truth.incident_id) == (None, None)


def test_a_data_set_without_a_label_column_is_not_labelled(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("user,amount,time\na,1,2026-01-01 00:00:00\n")
    (tmp_path / "l.csv").write_text("user,amount,time,class\na,1,2026-01-01 00:00:00,0\n")

    assert not open_dataset(tmp_path / "t.csv", RATES).is_labelled
    assert open_dataset(tmp_path / "l.csv", RATES).is_labelled


def test_fraud_on_one_user_within_a_day_is_one_incident(tmp_path: Path) -> None:
    times = ("01 10:00", "02 09:00", "02 09:00", "04 10:00")
    rows = "".join(f"{user},1,2026-01-{time}:00,1\n" for user in "ab" for time in times)

    found = read(tmp_path, "user,amount,time,is_fraud\n" + rows)

    assert {str(each.truth.incident_id) for each in found} == {"a#1", "a#2", "b#1", "b#2"}
    assert sum(each.truth.incident_id == "a#1" for each in found) == 3


def test_an_incident_that_the_data_set_names_is_kept_whatever_the_user() -> None:
    def fraud(user: str, incident_id: str | None) -> SentPayment:
        record: dict[str, object] = {"user_id": user, "timestamp": "2026-01-01T00:00:00Z"}
        return SentPayment(record=record, truth=Truth("mule", incident_id))

    found = in_order([fraud("a", "ring"), fraud("b", "ring"), fraud("b", None)])

    assert [each.truth.incident_id for each in found] == ["ring", "ring", "b#1"]


def test_a_mapped_column_names_incidents_that_span_users(tmp_path: Path) -> None:
    rows = "".join(
        f"{user},1,2026-01-0{day} 10:00:00,{fraud},{case}\n"
        for user, day, fraud, case in (
            ("a", 1, 1, "C7"),
            ("b", 2, 1, "C7"),
            ("b", 3, 0, "C8"),
            ("b", 4, 1, ""),
        )
    )
    mapping = "user_id: user\namount: amount\ntimestamp: time\nlabel: fraud\nincident: case\n"

    found = read(tmp_path, "user,amount,time,fraud,case\n" + rows, mapping)

    assert [each.truth.incident_id for each in found] == ["C7", "C7", None, "b#1"]


def test_rows_without_an_id_get_one_where_others_have_theirs(tmp_path: Path) -> None:
    row = "a,1,2026-01-01 00:00:00\n"

    found = read(tmp_path, f"id,user,amount,time\n7,{row},{row},{row}")

    ids = [each.transaction_id for each in found]
    assert ids[0] == "7"
    assert ids[1].startswith("row-")
    assert (ids[1][:-1], ids[1][-2:], ids[2][-2:]) == (ids[2][:-1], "-1", "-2")


def landed(transactions: list[SentPayment]) -> list[bytes]:
    config = LandingConfig(run="r", bad_rate=0, senders=(PLAIN,), rows_per_file=10_000)
    return [line for file in landing_files(transactions, config) for line in file.data.splitlines()]


def test_rows_that_cannot_be_mapped_land_and_are_refused(tmp_path: Path) -> None:
    good = {"id": 1, "user": "a", "amount": 1.5, "time": "2026-01-01T00:00:00Z"}
    bad: list[object] = [
        good | {"user": None}, good | {"user": ["a"]}, good | {"amount": "much"}, good | {"amount": True},
        good | {"time": "soon"}, good | {"time": {}},
        {}, [], "text", None,
    ]  # fmt: skip
    columns = good | {"latitude": 1, "longitude": 1}
    data = "".join(json.dumps(row) + "\n" for row in [columns, *bad]) + "{not json\n"

    lines = landed(read(tmp_path, data, name="t.jsonl"))
    outcomes = [ROWS.clean_json(line) for line in lines]

    assert len(lines) == 1 + len(bad) + 1
    assert sum(isinstance(outcome, Published) for outcome in outcomes) == 1


@pytest.mark.parametrize(
    ("changed", "field", "problem"),
    [
        ({"cents": "1234.50"}, "amount", ["not a whole number of minor units", "1234.50"]),
        ({"cents": "€1,234.50"}, "amount", ["not a whole number of minor units", "€1,234.50"]),
        ({"ccy": ""}, "currency", ["missing; its column is 'ccy'"]),
        (
            {"when": "2026-03-29 02:30:00"},
            "timestamp",
            ["a local time that does not exist: clocks were put forward", "2026-03-29 02:30:00"],
        ),
    ],
)
def test_what_the_mapping_cannot_read_is_not_read_otherwise_by_the_pipeline(
    tmp_path: Path, changed: dict[str, object], field: str, problem: list[str]
) -> None:
    mapping = (
        "user_id: u\namount: {column: cents, unit: minor}\ncurrency: ccy\ncard_id: k\n"
        "timestamp: {column: when, timezone: Europe/Berlin}\n"
    )
    row = {"u": "ann", "cents": "123450", "ccy": "EUR", "k": "k", "when": "2026-03-28 02:30:00"} | changed

    (found,) = read(tmp_path, json.dumps(row) + "\n", mapping, name="t.jsonl")

    assert found.record[field] == problem
    (line,) = landed([found])
    refused = ROWS.clean_json(line)
    assert isinstance(refused, Refused)
    assert refused.field == field


def test_an_optional_value_that_the_mapping_cannot_read_is_left_out_and_named(tmp_path: Path) -> None:
    mapping = "user_id: u\namount: a\ncurrency: {value: EUR}\ncard_id: k\ntimestamp: t\n"
    row = {"u": "ann", "a": "1", "k": 10**200, "t": "2026-01-01T00:00:00Z"}

    (found,) = read(tmp_path, json.dumps(row) + "\n", mapping, name="t.jsonl")
    payment = decode_transaction(json.dumps(found.record).encode())

    assert payment.card_id is None
    assert payment.invalid_fields == ("card_id",)


@given(
    lines=st.lists(st.binary(max_size=40).filter(lambda line: line.strip() and not set(line) & set(b"\r\n")))
)
def test_every_line_of_a_file_lands_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("lines") / "t.jsonl"
    path.write_bytes(b'{"user":"a","amount":"1","time":"2026-01-01T00:00:00Z"}\n' + b"\n".join(lines))

    found = list(open_dataset(path, RATES).transactions())

    assert len(landed(found)) == 1 + len(lines)


@pytest.mark.parametrize(
    ("word", "is_fraud"),
    [("Yes", True), ("No", False), ("Y", True), ("n", False), ("TRUE", True), ("False", False), ("1", True), ("0", False),
     ("fraud", True), ("Legit", False), ("", False), ("0.0", False), ("T", True), ("genuine", False)],
)  # fmt: skip
def test_the_usual_words_say_what_was_fraud(tmp_path: Path, word: str, is_fraud: bool) -> None:
    (found,) = read(tmp_path, f"user,amount,time,Is Fraud?\nu,1,2026-01-05 12:30:00,{word}\n")

    assert found.truth.is_fraud is is_fraud


@pytest.mark.parametrize("word", ["maybe", "2", "-1", "suspected"])
def test_a_word_that_says_neither_is_an_error_and_not_an_honest_payment(tmp_path: Path, word: str) -> None:
    data = f"user,amount,time,is_fraud\nu,1,2026-01-05 12:30:00,0\nu,1,2026-01-05 12:30:00,{word}\n"

    with pytest.raises(DatasetError, match=r"t.csv, line 3: label: neither a word for fraud .* fraud_values"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("u,12.500,2026-01-05 12:30:00", "amount"), ("3.51238E+15,1,2026-01-05 12:30:00", "user_id"), ("u,1,1124103000", "timestamp"),
        ("u,1", "$"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_keeps_its_place_and_what_is_wrong(
    tmp_path: Path, row: str, problem: str
) -> None:
    good = "u,1,2999-01-01 00:00:00"  # rows without a time come last

    found = read(tmp_path, f"user,amount,time\n{row}\n{good}\n")[problem in ("$", "timestamp")]

    assert found.place == "t.csv, line 2"
    assert found.problem is not None
    assert found.problem[0] == problem
