"""The checkpoints without a server: the contract of all profile stores, requests, retries, and what `keep` promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from engine.profile import to_bytes
from score.checkpoint_items import VERSIONS_PER_FORMAT, KeptProfile
from score.checkpoint_store import MAX_ATTEMPTS, MAX_KEEP_ATTEMPTS, MAX_MARK_ROUNDS, DynamoCheckpointStore
from score.delivery import Span
from score.dynamo_calls import MAX_KEYS, MAX_STATEMENTS
from score.errors import CacheUnavailableError
from score.profile_store import CachedProfile, CacheReading, ProfileWrite
from tests.support.dynamodb_answers import Answers, execute_statements, get_items, respond
from tests.support.kafka_events import TOPIC
from tests.support.payments import NOW
from tests.support.profile_store_contract import ProfileStoreContract
from tests.support.profile_stores import CheckpointTable, mark, new, profile_of, progress
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSResponse

TABLE = "profile_checkpoints"
THROTTLED = respond(
    400, {"__type": "com.amazonaws#ProvisionedThroughputExceededException", "message": "slow"}
)
TIME_OUT = ReadTimeoutError(endpoint_url="https://dynamodb")


class Bench(CheckpointTable):
    """A store on moto's table, the requests that it made, and the waits between tries."""

    def __init__(self, moto: Any, pool: ThreadPoolExecutor) -> None:
        self.executed: list[list[dict[str, Any]]] = []
        """Statements of each request."""
        self.got: list[list[str]] = []
        """Keys of each read."""
        self.answers: list[Callable[[dict[str, Any]], AWSResponse]] = []
        """What answers the next requests that write, one each; the table itself answers afterwards."""
        self.gets: list[Callable[[dict[str, Any]], AWSResponse]] = []
        """The same for reads."""
        self.waits: list[float] = []
        self.wire = Answers(self._answer)
        self.checkpoints = self.make_store(pool)
        super().__init__(self.checkpoints, moto, make_table(moto, TABLE))

    def make_store(self, pool: ThreadPoolExecutor) -> DynamoCheckpointStore:
        """Make a store on the same table."""
        return DynamoCheckpointStore(
            self.wire.client, TABLE, 90, pool, self.waits.append, lambda: NOW, lambda: 0.5
        )

    def item(self, key: str) -> dict[str, Any]:
        """A stored item."""
        item: dict[str, Any] = self.client.get_item(TableName=TABLE, Key={"item_key": {"S": key}})["Item"]
        return item

    def _answer(self, operation: str, request: dict[str, Any]) -> AWSResponse:
        if operation == "BatchExecuteStatement":
            self.executed.append(request["Statements"])
            answer = self.answers.pop(0) if self.answers else partial(execute_statements, self.client)
        else:
            assert operation == "BatchGetItem"
            [(table, wanted)] = request["RequestItems"].items()
            assert (table, wanted["ConsistentRead"]) == (TABLE, True)
            self.got.append([key["item_key"]["S"] for key in wanted["Keys"]])
            answer = self.gets.pop(0) if self.gets else partial(get_items, self.client)
        return answer(request)


@pytest.fixture
def bench(aws: Callable[[str], Any]) -> Iterator[Bench]:
    with ThreadPoolExecutor(1) as pool:  # one: requests in the order in which they are made
        bench = Bench(aws("dynamodb"), pool)
        yield bench
        bench.wire.end()


class TestOnMoto(ProfileStoreContract):
    @pytest.fixture
    def cache(self, bench: Bench) -> CheckpointTable:
        return bench


def always() -> bool:
    return True


def never() -> bool:
    return False


def answer(response: AWSResponse) -> Callable[[dict[str, Any]], AWSResponse]:
    """The same answer to any request."""
    return lambda _: response


def fail(_: dict[str, Any]) -> AWSResponse:
    """No answer in time."""
    raise TIME_OUT


def codes(bench: Bench, *errors: str | None) -> Callable[[dict[str, Any]], AWSResponse]:
    """Execute the statements without an error here, and report the errors of the others."""

    def execute(request: dict[str, Any]) -> AWSResponse:
        assert len(request["Statements"]) == len(errors)
        good = [s for s, error in zip(request["Statements"], errors, strict=True) if error is None]
        execute_statements(bench.client, {"Statements": good})
        return respond(
            200, {"Responses": [{} if error is None else {"Error": {"Code": error}} for error in errors]}
        )

    return execute


def kept(*user_ids: str, version: int = 5, body: bytes = b"body") -> list[KeptProfile]:
    return [KeptProfile(user_id, body, version) for user_id in user_ids]


def users(count: int) -> list[str]:
    return [f"user-{number:03d}" for number in range(count)]


def keys_of(statements: list[dict[str, Any]]) -> list[str]:
    return [next(value["S"] for value in statement["Parameters"] if "S" in value) for statement in statements]


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


# Periodic checkpoints


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
    with ThreadPoolExecutor(1) as pool:
        # The other writer uses the bench's pool, this one its own.
        assert bench.make_store(pool).keep(kept("user-1", version=5, body=b"ours")) == {"user-1"}

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


# Other users of the same client


def test_calls_that_others_make_on_the_client_are_left_alone(bench: Bench) -> None:
    bench.checkpoints.keep(kept("a"))

    answered = bench.wire.client.batch_get_item(
        RequestItems={TABLE: {"Keys": [{"item_key": {"S": "u#a"}}], "ConsistentRead": True}}
    )

    assert answered["Responses"][TABLE][0]["body"] == {"B": b"body"}
