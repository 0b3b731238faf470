"""No card number leaves the ingestion job, on the topic or in quarantine, and ids keep their value."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.card_numbers import IDS, holds_card_number
from contract.transaction import decode_transaction
from glue_scripts.rows import Header, Published, Refused
from tests.support.cards import TEST_NUMBERS, scientific_numbers, written_numbers
from tests.support.landed_rows import CLEANER, TOKENS, VISA, clean, published, refused, row

if TYPE_CHECKING:
    from glue_scripts.rows import CleanedRow

TOKEN = TOKENS.token(VISA)
COLUMNS = ["transaction_id", "user_id", "amount", "timestamp", "card_id", "channel"]


def csv_line(delimiter: str = ",", **changes: str) -> bytes:
    """A line of CSV as a usual writer makes it."""
    out = io.StringIO()
    fields = {**row(), "card_id": "", "channel": "", **changes}
    csv.writer(out, delimiter=delimiter, lineterminator="").writerow(str(fields[name]) for name in COLUMNS)
    return out.getvalue().encode("utf-8", "surrogatepass")


def clean_csv(delimiter: str = ",", **changes: str) -> CleanedRow:
    header = Header(delimiter.join(COLUMNS).encode())
    return CLEANER.clean_csv(csv_line(delimiter, **changes), header)


@pytest.mark.parametrize(
    "written",
    [
        "4.111111111111111E15",
        "4111 - 1111 - 1111 - 1111",
        "4111   1111   1111   1111",
        "4111,1111,1111,1111",
        "4111\t1111\t1111\t1111",
        "4111/1111/1111/1111",
        "4111\0" + "1111\0" + "1111\0" + "1111",
        "4\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001\0001",
        "41111111111111111227",
        "4111 1111 1111 11111227",
        "4111111111111111 12/27",
        "4111111111111111.0",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=ascii)
def test_a_card_of_a_csv_file_has_its_token_on_the_topic_and_its_number_is_not_in_quarantine(
    written: str, delimiter: str
) -> None:
    good = clean_csv(delimiter, card_id=written)
    bad = refused(clean_csv(delimiter, card_id=written, amount="much"))
    half = refused(CLEANER.clean_csv(csv_line(delimiter, card_id=written)[9:], Header(b"user_id;card")))

    assert published(good)["card_id"] == TOKEN
    for raw in (bad.raw, half.raw):
        assert TOKEN in raw
        assert not holds_card_number(raw)


@pytest.mark.parametrize(
    "number",
    ["4222222222222", "4.222222222222E12", "4222222222222.0", "42222222222220e-1", "4.222222222222e+12"],
)
def test_a_number_in_json_has_the_token_of_its_digits(number: str) -> None:
    line = json.dumps(row(card_id="C")).replace('"C"', number)
    token = TOKENS.token("4222222222222")

    assert published(CLEANER.clean_json(line.encode()))["card_id"] == token
    assert token in refused(CLEANER.clean_json(line.replace("12.50", "much").encode())).raw


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_line_of_another_encoding_is_quarantined_without_its_card_number(codec: str) -> None:
    raw = refused(
        CLEANER.clean_json(f'{{"card_id": "{VISA}", "pan": "4111 1111 1111 1111"}}'.encode(codec))
    ).raw

    assert raw.count(TOKEN) == 2
    assert "1111" not in raw.replace("\0", "")


@pytest.mark.parametrize("field", sorted(IDS))
@pytest.mark.parametrize("value", ["1234567890123452", VISA, "4111 1111 1111 1111", "5555-5555-5555-4444"])
def test_an_id_is_the_same_on_the_ingestion_path_and_on_the_direct_one(field: str, value: str) -> None:
    line = json.dumps(row(**{field: value}))

    assert published(CLEANER.clean_json(line.encode()))[field] == value
    assert getattr(decode_transaction(line.encode()), field) == value


@pytest.mark.parametrize("field", sorted(IDS))
def test_an_id_keeps_its_value_in_quarantine_where_the_row_can_be_read(field: str) -> None:
    changes = {field: "1234567890123452", "amount": "much", "channel": VISA}

    raw = json.loads(refused(clean(**changes)).raw)

    assert (raw[field], raw["channel"]) == ("1234567890123452", TOKEN)


def test_an_id_keeps_its_value_in_a_quarantined_row_of_csv() -> None:
    raw = refused(clean_csv(user_id="1234567890123452", amount="much", card_id=VISA)).raw

    assert raw.split(",")[1] == "1234567890123452"
    assert TOKEN in raw


def test_a_card_number_in_the_column_of_the_amount_or_the_time_is_not_in_quarantine() -> None:
    for changes in ({"amount": f"x{VISA}"}, {"timestamp": VISA}):
        outcome = refused(clean_csv(**changes))

        assert TOKEN in outcome.raw
        assert "1111" not in outcome.reason


def test_times_and_amounts_beside_each_other_stay_in_quarantine() -> None:
    raw = refused(clean_csv(";", timestamp="05/01/2026 12:30", amount="500", card_id="2", channel="9.99")).raw

    assert raw == "t-1;u-1;500;05/01/2026 12:30;2;9.99"


def test_a_line_that_is_no_header_is_quarantined_without_its_card_number() -> None:
    outcome = CLEANER.read_header(f"title,4111 1111 1111 1111,{VISA}".encode())

    assert isinstance(outcome, Refused)
    assert outcome.raw == f"title,{TOKEN},{TOKEN}"


@given(
    st.one_of(written_numbers(), scientific_numbers()),
    st.sampled_from(list(TEST_NUMBERS.values())),
    st.sampled_from(["12.50", "much"]),
)
def test_whatever_separators_script_and_notation_no_card_number_leaves_the_job_and_no_id_changes(
    case: tuple[str, str], number: str, amount: str
) -> None:
    written = case[1]
    fields: dict[str, Any] = {
        "card_id": written,
        "channel": f"by {written}",
        "user_id": number,
        "amount": amount,
    }
    outcomes = [clean(**fields), clean_csv(**fields)]

    for outcome in outcomes:
        if isinstance(outcome, Published):
            record = published(outcome)
            assert record["card_id"] == TOKENS.token(case[0])
            assert outcome.user_id == record.pop("user_id") == number
            assert not holds_card_number(
                str({name: text for name, text in record.items() if name != "amount"})
            )
        elif isinstance(outcome, Refused):
            assert outcome.raw.count(number) == 1 or number == written
            assert written not in outcome.raw.replace(number, "")
            assert not holds_card_number(outcome.raw.replace(number, ""))
