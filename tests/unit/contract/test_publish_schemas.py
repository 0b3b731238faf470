"""The published schemas are what the structs say, and what the stages write is valid by them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from contract import publish_schemas
from contract.alert import encode_message
from contract.flagged import to_flagged_item
from contract.scored import to_history_item
from contract.transaction import encode_transaction
from tests.support.payments import (
    NOW,
    make_alert_of,
    make_claimed,
    make_flagged,
    make_scored,
    make_transaction,
)
from tests.unit.contract.records import make_taught

if TYPE_CHECKING:
    from pathlib import Path

    from contract.scored import ScoredTransaction


def plain(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return json.loads(value)
        case "L":
            return [plain(element) for element in value]
        case "M":
            return {name: plain(element) for name, element in value.items()}
    return value


def plain_item(item: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(attribute) for name, attribute in item.items()}


def published(name: str) -> Any:
    return json.loads((publish_schemas.FOLDER / f"{name}.schema.json").read_bytes())


def test_published_schemas_are_what_the_structs_say() -> None:
    assert publish_schemas.stale_files() == []


@pytest.mark.parametrize("name", ["transaction", "scored_transaction", "flagged_transaction", "alert"])
def test_published_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(published(name))


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("transaction", json.loads(encode_transaction(make_transaction()))),
        ("transaction", json.loads(encode_transaction(make_transaction(location="Paris, FR")))),
        ("scored_transaction", plain_item(to_history_item(make_scored(), 1_900_000_000))),
        ("scored_transaction", plain_item(to_history_item(make_taught(), 1_900_000_000))),
        ("flagged_transaction", plain_item(to_flagged_item(make_flagged()))),
        ("flagged_transaction", plain_item(to_flagged_item(make_claimed(alerted_at=NOW)))),
        ("alert", json.loads(encode_message(make_alert_of(make_claimed())))),
    ],
)
def test_what_the_stages_write_is_valid_by_the_schema(name: str, record: Any) -> None:
    jsonschema.validate(record, published(name), format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("scored", [make_scored(), make_taught()], ids=["usual", "with all that may be"])
def test_packed_detail_of_a_history_row_is_valid_by_its_schema(scored: ScoredTransaction) -> None:
    schema = published("scored_transaction")
    detail = json.loads(to_history_item(scored, 1_900_000_000)["detail"]["S"])

    jsonschema.validate(detail, schema["properties"]["detail"]["contentSchema"] | {"$defs": schema["$defs"]})


@pytest.mark.parametrize(
    "changes", [{"user_id": ""}, {"amount": -1}, {"timestamp": None}, {"location": {"latitude": 91}}]
)
def test_bad_payment_is_invalid_by_the_schema(changes: dict[str, Any]) -> None:
    record = json.loads(encode_transaction(make_transaction(amount=Decimal(5)))) | changes

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, published("transaction"))


def test_schemas_describe_their_fields() -> None:
    properties = published("alert")["$defs"]["Alert"]["properties"]

    assert properties["headline"]["description"] == "One sentence for people."
    assert properties["appended_at"]["format"] == "date-time"
    assert properties["risk_score"]["maximum"] == 100


def test_schema_of_a_history_row_has_the_stored_names_and_says_what_they_are() -> None:
    detail = published("scored_transaction")["$defs"]["HistoryDetail"]["properties"]

    assert set(detail) == {
        *("v", "t", "r", "s", "e", "fs", "pv", "d", "a", "b", "ts", "rp", "rl", "vd"),
        *("pd", "ab", "bc", "c", "o"),
    }
    assert all(field["description"] for field in detail.values())
    assert detail["a"]["description"] == "When Kafka took the record, ms since the epoch."


def test_stale_missing_and_left_over_files_are_named_and_fixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_schemas.main([], tmp_path)
    (tmp_path / "alert.schema.json").write_text("{}")
    (tmp_path / "transaction.schema.json").unlink()
    (tmp_path / "gone.schema.json").write_text("{}")

    exit_code = publish_schemas.main(["--check"], tmp_path)

    named = [line.split()[0] for line in capsys.readouterr().err.splitlines()]
    assert exit_code == 1
    assert named == ["alert.schema.json", "gone.schema.json", "transaction.schema.json"]
    assert publish_schemas.main([], tmp_path) == 0
    assert publish_schemas.main(["--check"], tmp_path) == 0
