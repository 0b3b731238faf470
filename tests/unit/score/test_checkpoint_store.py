"""The checkpoints without a server: the contract of all profile stores, requests, and marks that others move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from common.errors import CacheUnavailableError
from engine.profile import to_bytes
from score.checkpoint_items import MAX_BODY_BYTES, VERSIONS_PER_FORMAT, packed, unpacked
from score.checkpoint_store import MAX_MARK_ROUNDS
from score.delivery import Span
from score.dynamo_calls import MAX_KEYS, MAX_STATEMENTS
from score.profile_store import CacheReading, ProfileWrite
from tests.support.dynamodb_answers import execute_statements
from tests.support.kafka_events import TOPIC
from tests.support.payments import NOW
from tests.support.profile_store_contract import ProfileStoreContract
from tests.support.profile_stores import CheckpointTable, mark, new, profile_of, progress
from tests.unit.score.checkpoint_bench import TABLE, Bench, bench, codes, kept, keys_of, users

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

__all__ = ["bench"]


class TestOnMoto(ProfileStoreContract):
    @pytest.fixture
    def cache(self, bench: Bench) -> CheckpointTable:
        return bench


# Requests


def test_items_are_read_consistently_100_a_request_and_marks_with_them(bench: Bench) -> None:
    bench.checkpoints.read(users(150), [Span(TOPIC, 3, 10, 12)])

    keys = [f"u#{user}" for user in users(150)] + [f"p#{TOPIC}/3"]
    assert MAX_KEYS == 100
    assert bench.got == [keys[:100], keys[100:]]


def test_profiles_are_written_25_a_request_and_marks_after_them(bench: Bench) -> None:
    bench.checkpoints.write([new(user, "t-1") for user in users(60)], [mark(5), mark(6, partition=1)])

    keys = [f"u#{user}" for user in users(60)]
    assert MAX_STATEMENTS == 25
    assert [keys_of(statements) for statements in bench.executed] == [
        keys[:25],
        keys[25:50],
        keys[50:],
        [f"p#{TOPIC}/0", f"p#{TOPIC}/1"],
    ]


def test_nothing_to_do_sends_no_request(bench: Bench) -> None:
    assert bench.checkpoints.read([], []) == CacheReading({}, [])
    assert bench.checkpoints.write([], []) == []
    assert bench.checkpoints.keep([]) == set()

    assert (bench.executed, bench.got) == ([], [])


def test_mark_that_is_still_as_read_takes_one_statement_and_no_read(bench: Bench) -> None:
    bench.checkpoints.write([], [mark(5)])

    bench.checkpoints.write([], [mark(9, 3, read_folded_to=5)])

    assert len(bench.executed) == 2
    assert bench.got == []


def test_no_value_is_part_of_a_statement(bench: Bench) -> None:
    user = "o'neil\" ? \\"
    bench.checkpoints.write([new(user, "t-1")], [mark(5)])
    as_read = bench.checkpoints.read([user], []).profiles[user]
    bench.checkpoints.write([ProfileWrite(user, profile_of("t-1", "t-2"), as_read.revision)], [mark(6)])
    bench.checkpoints.keep(kept(user))

    texts = {statement["Statement"] for statements in bench.executed for statement in statements}

    assert len(texts) == 5
    assert not any("neil" in text for text in texts)


def test_item_has_body_revision_version_and_expiry(bench: Bench) -> None:
    bench.checkpoints.write([new("user-1", "t-1", "t-2")], [mark(5, 2)])

    item = bench.item("u#user-1")

    assert len(item.pop("revision")["B"]) == 8
    assert item == {
        "item_key": {"S": "u#user-1"},
        "body": {"B": to_bytes(profile_of("t-1", "t-2"))},
        "version": {"N": str(to_bytes(profile_of())[0] * VERSIONS_PER_FORMAT + 2)},
        "expires_at": {"N": str(int(NOW.timestamp()) + 90 * 86_400)},
        "is_kept": {"BOOL": False},
    }
    assert bench.item(f"p#{TOPIC}/0") == {
        "item_key": {"S": f"p#{TOPIC}/0"},
        "folded_to": {"N": "5"},
        "fresh_from": {"N": "2"},
    }


# Marks that others move meanwhile


def test_mark_that_moves_between_read_and_write_keeps_the_higher_half_of_each(bench: Bench) -> None:
    bench.checkpoints.write([], [mark(20, 3)])

    def moved_first(request: dict[str, Any]) -> AWSResponse:
        bench.client.put_item(
            TableName=TABLE,
            Item={"item_key": {"S": f"p#{TOPIC}/0"}, "folded_to": {"N": "30"}, "fresh_from": {"N": "3"}},
        )
        return execute_statements(bench.client, request)

    bench.answers = [moved_first]
    bench.checkpoints.write([], [mark(25, 18, read_folded_to=20)])

    assert progress(bench) == (30, 18)
    assert bench.got[:1] == [[f"p#{TOPIC}/0"]]


def test_only_refused_marks_are_merged_and_written_again(bench: Bench) -> None:
    bench.checkpoints.write([], [mark(20, 9), mark(4, partition=1)])

    bench.checkpoints.write([], [mark(25, 3, read_folded_to=20), mark(8, partition=1, read_folded_to=4)])

    assert [keys_of(statements) for statements in bench.executed[1:]] == [
        [f"p#{TOPIC}/0", f"p#{TOPIC}/1"],
        [f"p#{TOPIC}/0"],
    ]
    assert (progress(bench), progress(bench, 1)) == ((25, 9), (8, 0))


def test_mark_that_others_keep_moving_makes_the_store_unavailable(bench: Bench) -> None:
    bench.checkpoints.write([], [mark(20, 9)])
    bench.answers = [codes(bench, "ConditionalCheckFailed")] * MAX_MARK_ROUNDS

    with pytest.raises(CacheUnavailableError, match=r"^marks: changed by other writers in every round$"):
        bench.checkpoints.write([], [mark(25, 9, read_folded_to=20)])

    assert len(bench.executed) == 1 + MAX_MARK_ROUNDS


def test_profiles_are_written_though_a_mark_went_back(bench: Bench) -> None:
    bench.checkpoints.write([], [mark(15)])

    with pytest.raises(CacheUnavailableError, match=r"^WentBack$"):
        bench.checkpoints.write([new("a", "t-1")], [mark(25, read_folded_to=20)])

    assert bench.item("u#a")["body"] == {"B": to_bytes(profile_of("t-1"))}
    assert progress(bench) == (15, 0)


# Other users of the same client


def test_calls_that_others_make_on_the_client_are_left_alone(bench: Bench) -> None:
    bench.checkpoints.keep(kept("a"))

    answered = bench.wire.client.batch_get_item(
        RequestItems={TABLE: {"Keys": [{"item_key": {"S": "u#a"}}], "ConsistentRead": True}}
    )

    assert answered["Responses"][TABLE][0]["body"] == {"B": packed(b"body")}


# Compressed profiles


def test_a_profile_is_stored_compressed() -> None:
    body = to_bytes(profile_of(*(f"t-{number}" for number in range(40))))

    stored = packed(body)

    assert len(stored) < 0.7 * len(body)
    assert unpacked(stored) == body


@pytest.mark.parametrize(
    "stored", [to_bytes(profile_of("t-1")), b"", b"\x78\x01 not compressed", b"x", packed(b"cut")[:-1]]
)
def test_what_cannot_be_unpacked_is_given_as_it_is(stored: bytes) -> None:
    assert unpacked(stored) == stored


def test_no_item_is_unpacked_to_more_than_some_bytes() -> None:
    stored = packed(bytes(MAX_BODY_BYTES + 1))

    assert unpacked(stored) == stored
