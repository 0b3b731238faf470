"""What the store of checkpoints tries again, for how long, and what it reports when no retry is left."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import CacheUnavailableError
from engine.profile import to_bytes
from score.checkpoint_store import MAX_ATTEMPTS
from tests.support.dynamodb_answers import execute_statements, respond
from tests.support.profile_stores import mark, new, profile_of, progress
from tests.unit.score.checkpoint_bench import TABLE, THROTTLED, Bench, answer, bench, codes, fail, keys_of
from tests.unit.score.time_left import always, never

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSResponse

__all__ = ["bench"]


# Retries of reads


def test_keys_that_were_not_processed_are_asked_for_again(bench: Bench) -> None:
    bench.checkpoints.write([new("user-1", "t-1"), new("user-2", "t-2")], [])
    rest = {"Keys": [{"item_key": {"S": "u#user-2"}}], "ConsistentRead": True}
    first = bench.item("u#user-1")
    wire = {"item_key": first["item_key"], "revision": first["revision"], "body": first["body"]}
    bench.gets = [
        answer(respond(200, {"Responses": {TABLE: [wire]}, "UnprocessedKeys": {TABLE: rest}})),
    ]

    profiles = bench.checkpoints.read(["user-1", "user-2"], []).profiles

    assert [profile.body for profile in profiles.values()] == [
        to_bytes(profile_of("t-1")),
        to_bytes(profile_of("t-2")),
    ]
    assert bench.got == [["u#user-1", "u#user-2"], ["u#user-2"]]
    assert bench.waits == [0.05]


def test_keys_that_remain_unprocessed_make_the_store_unavailable(bench: Bench) -> None:
    rest = {"Keys": [{"item_key": {"S": "u#user-1"}}]}
    bench.gets = [answer(respond(200, {"Responses": {}, "UnprocessedKeys": {TABLE: rest}}))] * MAX_ATTEMPTS

    with pytest.raises(CacheUnavailableError, match=r"^BatchGetItem: keys remain unprocessed$"):
        bench.checkpoints.read(["user-1"], [])

    assert len(bench.got) == MAX_ATTEMPTS == 6


def test_answer_that_is_not_dynamodbs_is_asked_for_again(bench: Bench) -> None:
    bench.checkpoints.write([new("user-1", "t-1")], [])
    bench.gets = [answer(respond(200, "<html>")), answer(respond(200, {"Responses": {TABLE: [{"body": 1}]}}))]

    assert bench.checkpoints.read(["user-1"], []).profiles["user-1"].body is not None

    assert bench.waits == [0.05, 0.1]


@pytest.mark.parametrize("problem", [answer(THROTTLED), fail])
def test_read_that_fails_six_times_makes_the_store_unavailable(bench: Bench, problem: Any) -> None:
    bench.gets = [problem] * 1000

    with pytest.raises(CacheUnavailableError, match=r"^BatchGetItem: (Provision|ReadTimeout)\w+$") as raised:
        bench.checkpoints.read(["user-1"], [])

    assert raised.value.__cause__ is not None
    assert bench.waits == [0.05, 0.1, 0.2, 0.4, 0.5]


@pytest.mark.parametrize(
    ("has_time", "code"), [(always, "AccessDeniedException"), (never, "ThrottlingException")]
)
def test_read_that_is_refused_for_good_or_has_no_time_is_not_tried_again(
    bench: Bench, has_time: Callable[[], bool], code: str
) -> None:
    bench.gets = [answer(respond(400, {"__type": f"com.amazonaws#{code}", "message": "no"}))] * 1000

    with pytest.raises(CacheUnavailableError, match=rf"^BatchGetItem: ({code}|ClientError)$"):
        bench.checkpoints.read(["user-1"], [], has_time)

    assert bench.waits == []


# Retries of writes


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflict",
    ],
)
def test_only_statements_that_failed_for_now_are_tried_again(bench: Bench, code: str) -> None:
    bench.checkpoints.write([new("b", "t-1")], [])
    bench.answers = [codes(bench, None, "DuplicateItem", code)]

    lost = bench.checkpoints.write([new("a", "t-2"), new("b", "t-3"), new("c", "t-4")], [mark(5)])

    assert lost == ["b"]
    assert [keys_of(statements) for statements in bench.executed[1:]] == [["u#a", "u#b", "u#c"], ["u#c"]]
    assert bench.waits == [0.05]
    assert progress(bench) is None


def test_statements_that_remain_throttled_make_the_store_unavailable_and_move_no_mark(bench: Bench) -> None:
    bench.answers = [codes(bench, None, "ThrottlingError")] + [codes(bench, "ThrottlingError")] * 5

    with pytest.raises(CacheUnavailableError, match=r"^BatchExecuteStatement: ThrottlingError$"):
        bench.checkpoints.write([new("a", "t-1"), new("b", "t-2")], [mark(5)])

    assert bench.waits == [0.05, 0.1, 0.2, 0.4, 0.5]
    assert bench.item("u#a")["body"]
    assert progress(bench) is None


@pytest.mark.parametrize(
    ("code", "has_time"), [("AccessDenied", always), ("ValidationError", always), ("ThrottlingError", never)]
)
def test_statement_that_is_refused_for_good_or_has_no_time_is_not_tried_again(
    bench: Bench, code: str, has_time: Callable[[], bool]
) -> None:
    bench.answers = [codes(bench, code)]

    with pytest.raises(CacheUnavailableError, match=rf"^BatchExecuteStatement: {code}$"):
        bench.checkpoints.write([new("a", "t-1")], [mark(5)], has_time)

    assert (len(bench.executed), bench.waits) == (1, [])


def test_write_whose_answer_was_lost_is_lost_to_itself_and_found_by_the_next_read(bench: Bench) -> None:
    def written_without_an_answer(request: dict[str, Any]) -> AWSResponse:
        execute_statements(bench.client, request)
        return respond(500, {"__type": "com.amazonaws#InternalServerError"})

    bench.answers = [written_without_an_answer]

    lost = bench.checkpoints.write([new("a", "t-1")], [mark(5)])

    assert lost == ["a"]
    assert bench.checkpoints.read(["a"], []).profiles["a"].body == to_bytes(profile_of("t-1"))
    assert progress(bench) is None


def test_throttled_mark_is_tried_again_and_then_makes_the_store_unavailable(bench: Bench) -> None:
    bench.answers = [partial(execute_statements, bench.client), codes(bench, "ThrottlingError")]
    assert bench.checkpoints.write([new("a", "t-1")], [mark(5)]) == []
    assert progress(bench) == (5, 0)

    bench.answers = [codes(bench, "ThrottlingError")] * 6
    with pytest.raises(CacheUnavailableError, match=r"^BatchExecuteStatement: ThrottlingError$"):
        bench.checkpoints.write([], [mark(9, read_folded_to=5)])
    assert progress(bench) == (5, 0)
