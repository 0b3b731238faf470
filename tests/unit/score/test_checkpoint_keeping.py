"""Periodic checkpoints without a server: what `keep` stores, which checkpoint stays, and what it leaves for later."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from score.checkpoint_items import VERSIONS_PER_FORMAT
from score.checkpoint_store import MAX_KEEP_ATTEMPTS
from score.profile_store import CachedProfile
from tests.support.dynamodb_answers import execute_statements, respond
from tests.unit.score.checkpoint_bench import TABLE, THROTTLED, Bench, answer, bench, codes, fail, kept, users
from tests.unit.score.time_left import never

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

__all__ = ["bench"]


def test_kept_profile_is_read_back_and_known_to_be_kept(bench: Bench) -> None:
    assert bench.checkpoints.keep(kept("user-1")) == {"user-1"}

    reading = bench.checkpoints.read(["user-1"], [])
    revision = reading.profiles["user-1"].revision
    assert reading.profiles == {"user-1": CachedProfile(b"body", revision, is_kept=True)}
    assert len(revision) == 8


def test_profile_that_is_kept_again_has_another_revision(bench: Bench) -> None:
    bench.checkpoints.keep(kept("user-1"))
    before = bench.checkpoints.read(["user-1"], []).profiles["user-1"].revision

    bench.checkpoints.keep(kept("user-1", version=6))

    assert bench.checkpoints.read(["user-1"], []).profiles["user-1"].revision != before


@pytest.mark.parametrize(
    ("stored", "version", "body"), [(4, 5, b"new"), (5, 5, b"new"), (6, 5, b"old"), (10, 9, b"old")]
)
def test_checkpoint_replaces_lower_versions_alone_and_the_higher_one_counts_as_kept(
    bench: Bench, stored: int, version: int, body: bytes
) -> None:
    bench.checkpoints.keep(kept("user-1", version=stored, body=b"old"))

    assert bench.checkpoints.keep(kept("user-1", version=version, body=b"new")) == {"user-1"}

    assert bench.item("u#user-1")["body"] == {"B": body}


def test_profile_of_an_older_format_is_replaced_however_many_payments_it_has(bench: Bench) -> None:
    bench.checkpoints.keep(kept("user-1", version=40_000, body=b"old"))
    older = int(bench.item("u#user-1")["version"]["N"]) - VERSIONS_PER_FORMAT
    bench.client.update_item(
        TableName=TABLE,
        Key={"item_key": {"S": "u#user-1"}},
        UpdateExpression="SET version = :v",
        ExpressionAttributeValues={":v": {"N": str(older)}},
    )

    bench.checkpoints.keep(kept("user-1", version=500, body=b"new"))

    assert bench.item("u#user-1")["body"] == {"B": b"new"}


def test_first_checkpoint_that_another_writer_inserts_meanwhile_gives_way_to_the_higher_version(
    bench: Bench,
) -> None:
    def inserted_first(request: dict[str, Any]) -> AWSResponse:
        [update] = request["Statements"]
        assert update["Statement"].startswith("UPDATE")
        refused = execute_statements(bench.client, request)
        bench.answers = []
        bench.checkpoints.keep(kept("user-1", version=3, body=b"other"))
        return refused

    bench.answers = [inserted_first]
    assert bench.make_store().keep(kept("user-1", version=5, body=b"ours")) == {"user-1"}

    assert bench.item("u#user-1")["body"] == {"B": b"ours"}


def test_throttled_checkpoint_is_tried_twice_and_is_then_left_for_later(bench: Bench) -> None:
    bench.checkpoints.keep(kept("a", "b", "c", version=4, body=b"old"))
    bench.answers = [
        codes(bench, None, "ThrottlingError", "ThrottlingError"),
        codes(bench, None, "ThrottlingError"),
    ]

    assert bench.checkpoints.keep(kept("a", "b", "c", body=b"new")) == {"a", "b"}

    assert MAX_KEEP_ATTEMPTS == 2
    assert [bench.item(f"u#{user}")["body"]["B"] for user in "abc"] == [b"new", b"new", b"old"]
    assert bench.waits == [0.05]


@pytest.mark.parametrize(
    "problem", [answer(THROTTLED), answer(respond(400, {"__type": "x#AccessDeniedException"})), fail]
)
def test_no_failure_of_dynamodb_makes_keeping_raise(bench: Bench, problem: Any) -> None:
    bench.answers = [problem] * 1000

    assert bench.checkpoints.keep(kept(*users(60))) == set()


def test_insert_that_fails_leaves_its_profile_for_later(bench: Bench) -> None:
    bench.answers = [
        partial(execute_statements, bench.client),
        codes(bench, None, "ThrottlingError"),
        codes(bench, "ThrottlingError"),
    ]

    assert bench.checkpoints.keep(kept("a", "b")) == {"a"}


def test_keeping_without_time_tries_once(bench: Bench) -> None:
    bench.checkpoints.keep(kept("a"))
    bench.answers = [codes(bench, "ThrottlingError")]

    assert bench.checkpoints.keep(kept("a"), never) == set()

    assert bench.waits == []
