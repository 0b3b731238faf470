"""The benchmark's tables answer as the score stage's stores need it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest

from benchmarks.tables import Contents, Tables, user_on
from contract.scored import Position
from engine.profile import Profile, to_bytes
from score.checkpoint_items import CheckpointStatements, KeptProfile, profile_key
from score.profile_store import PartitionProgress, ProfileWrite
from tests.support.payments import APPROVED, make_transaction, trusted_facts

STATEMENTS = CheckpointStatements("profile_checkpoints")
REVISION, OTHER_REVISION = b"revision", b"another!"


def execute(tables: Tables, *statements: Any) -> list[str | None]:
    """The error of each statement."""
    body = msgspec.json.encode({"Statements": statements})
    answer = msgspec.json.decode(tables.execute(body))
    return [each.get("Error", {}).get("Code") for each in answer["Responses"]]


def stored(tables: Tables, *keys: dict[str, str]) -> list[Any]:
    request = {"RequestItems": {"profile_checkpoints": {"Keys": [{"item_key": key} for key in keys]}}}
    answer = msgspec.json.decode(tables.get(msgspec.json.encode(request)))
    assert answer["UnprocessedKeys"] == {}
    items: list[Any] = answer["Responses"]["profile_checkpoints"]
    return items


def profile(payments: int = 1) -> Profile:
    folded = Profile()
    for offset in range(payments):
        facts = trusted_facts(make_transaction(transaction_id=f"t-{offset}"))
        folded.fold(facts, APPROVED, Position("t", 0, offset))
    return folded


def write(expected_revision: bytes, revision: bytes) -> Any:
    return STATEMENTS.write(ProfileWrite("u", profile(), expected_revision), revision, 1)


def test_profiles_are_inserted_once_and_replaced_by_the_revision_that_was_read() -> None:
    tables = Tables()

    assert execute(tables, write(b"", REVISION)) == [None]
    assert execute(tables, write(b"", OTHER_REVISION)) == ["DuplicateItem"]
    assert execute(tables, write(OTHER_REVISION, OTHER_REVISION)) == ["ConditionalCheckFailed"]
    assert execute(tables, write(REVISION, OTHER_REVISION)) == [None]

    [item] = stored(tables, profile_key("u"), profile_key("nobody"))
    assert item["revision"] == {"B": b64encode(OTHER_REVISION).decode()}


@pytest.mark.parametrize(("payments", "error"), [(1, "ConditionalCheckFailed"), (2, None), (3, None)])
def test_a_profile_is_kept_in_place_of_no_higher_version(payments: int, error: str | None) -> None:
    tables = Tables()
    kept = KeptProfile("u", to_bytes(profile(2)), 2)
    update, insert = STATEMENTS.keep(kept, REVISION, 1)
    assert execute(tables, update) == ["ConditionalCheckFailed"]
    assert execute(tables, insert) == [None]

    again, _ = STATEMENTS.keep(KeptProfile("u", b"", payments), REVISION, 1)

    assert execute(tables, again) == [error]


def test_marks_never_go_back() -> None:
    tables = Tables()
    mark = PartitionProgress("t", 0, 9, 3, 9)

    assert execute(tables, STATEMENTS.insert_mark(mark)) == [None]
    assert execute(tables, STATEMENTS.advance_mark(msgspec.structs.replace(mark, folded_to=12))) == [None]
    assert execute(tables, STATEMENTS.advance_mark(msgspec.structs.replace(mark, folded_to=11))) == [
        "ConditionalCheckFailed"
    ]


def test_a_query_answers_with_the_model_s_rows_of_the_user_s_partition() -> None:
    tables = Tables()
    rows = {1: [(key, f'{{"user_id":{{"S":"model"}},"event_key":{{"S":"{key}"}}}}') for key in "cba"]}
    user = user_on(1, "somebody")

    def query(**values: Any) -> list[Any]:
        body = msgspec.json.encode({"ExpressionAttributeValues": values})
        items: list[Any] = msgspec.json.decode(tables.query(body))["Items"]
        return items

    assert query(**{":user": {"S": user}}) == []
    tables.load(Contents(rows=rows))
    assert [item["event_key"]["S"] for item in query(**{":user": {"S": user}})] == ["c", "b", "a"]
    found = query(**{":user": {"S": user}, ":first": {"S": "b"}})
    assert found == [{"user_id": {"S": user}, "event_key": {"S": key}} for key in "cb"]
