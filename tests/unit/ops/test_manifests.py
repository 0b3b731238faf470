"""What a `function.yaml` may contain; the error of a mistake names file and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ops.manifests import (
    FUNCTIONS_DIR,
    Access,
    FunctionSpec,
    InvokeTrigger,
    QueueTrigger,
    ScheduleTrigger,
    SpecError,
    read_function,
    read_functions,
)

if TYPE_CHECKING:
    from pathlib import Path

YAML = """
description: test
handler: score.handler.handler
packages: [contract, score]
runtime: python3.11
memory_mib: 256
timeout_seconds: 30
reserved_concurrency: 1
trigger: {type: invoke}
environment: {}
access: [%s]
aws_services: []
"""


def _read(folder: Path, access: str) -> dict[str, Access]:
    (folder / "stage").mkdir()
    (folder / "stage" / "function.yaml").write_text(YAML % access)
    return {"stage": read_functions(folder)["stage"].access[0]}


def test_a_function_that_is_invoked_has_no_event_source(tmp_path: Path) -> None:
    _read(tmp_path, "{table: t, actions: [GetItem]}")

    spec = read_functions(tmp_path)["stage"]

    assert spec.trigger == InvokeTrigger()
    assert not spec.has_event_source
    assert not spec.is_triggered


def _read_trigger(folder: Path, trigger: str) -> ScheduleTrigger:
    (folder / "stage").mkdir()
    yaml = (YAML % "").replace("trigger: {type: invoke}", f"trigger: {{{trigger}}}")
    (folder / "stage" / "function.yaml").write_text(yaml)
    spec = read_function("stage", folder)
    assert spec.is_triggered
    assert not spec.has_event_source
    assert isinstance(spec.trigger, ScheduleTrigger)
    return spec.trigger


def _read_http(folder: Path, timeout_seconds: int) -> FunctionSpec:
    (folder / "stage").mkdir()
    yaml = (
        (YAML % "")
        .replace("{type: invoke}", "{type: http}")
        .replace("_seconds: 30", f"_seconds: {timeout_seconds}")
    )
    (folder / "stage" / "function.yaml").write_text(yaml)
    return read_function("stage", folder)


def test_a_function_that_browsers_reach_is_triggered_and_made_where_somebody_may_reach_it(
    tmp_path: Path,
) -> None:
    spec = _read_http(tmp_path, 28)

    assert spec.is_triggered
    assert not spec.has_event_source
    assert spec.is_optional


def test_a_function_that_browsers_reach_is_done_before_the_gateway_gives_up(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="timeout_seconds is 29; API Gateway waits 29 s"):
        _read_http(tmp_path, 29)


SCHEDULE = "type: schedule, every_minutes: 5, maximum_retries: 0, maximum_event_age_seconds: 300, on_failure: discard"


def test_a_function_with_a_schedule_is_triggered_and_reads_no_event_source(tmp_path: Path) -> None:
    trigger = _read_trigger(tmp_path, SCHEDULE)

    assert trigger == ScheduleTrigger(
        every_minutes=5, maximum_retries=0, maximum_event_age_seconds=300, on_failure="discard"
    )


@pytest.mark.parametrize(
    ("right", "wrong", "place"),
    [
        ("every_minutes: 5", "every_minutes: 0", "every_minutes"),
        ("maximum_retries: 0", "maximum_retries: 3", "maximum_retries"),
        ("maximum_event_age_seconds: 300", "maximum_event_age_seconds: 59", "maximum_event_age_seconds"),
        ("on_failure: discard", "on_failure: ignore", "on_failure"),
    ],
)
def test_a_schedule_beyond_the_limits_of_eventbridge_or_lambda_names_the_place(
    tmp_path: Path, right: str, wrong: str, place: str
) -> None:
    with pytest.raises(SpecError, match=rf"\$\.trigger\.{place}"):
        _read_trigger(tmp_path, SCHEDULE.replace(right, wrong))


QUEUE = "type: queue, queue: labels, batch_size: 10, batch_window_seconds: 2, maximum_concurrency: 5, report_batch_item_failures: true, maximum_receives: 500"


def _read_queue(folder: Path, trigger: str) -> FunctionSpec:
    (folder / "stage").mkdir()
    yaml = (YAML % "").replace("trigger: {type: invoke}", f"trigger: {{{trigger}}}")
    yaml = yaml.replace("reserved_concurrency: 1", "reserved_concurrency: 5")
    (folder / "stage" / "function.yaml").write_text(yaml)
    return read_function("stage", folder)


def test_a_function_of_a_queue_has_an_event_source_and_hides_a_message_for_six_timeouts_and_the_window(
    tmp_path: Path,
) -> None:
    spec = _read_queue(tmp_path, QUEUE)

    assert spec.trigger == QueueTrigger(
        queue="labels",
        batch_size=10,
        batch_window_seconds=2,
        maximum_concurrency=5,
        report_batch_item_failures=True,
        maximum_receives=500,
    )
    assert spec.has_event_source
    assert spec.is_triggered
    assert spec.visibility_seconds == 6 * 30 + 2


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("batch_size: 10,", "batch_size: 0,", r"\$\.trigger\.batch_size"),
        ("maximum_concurrency: 5", "maximum_concurrency: 1", r"\$\.trigger\.maximum_concurrency"),
        ("maximum_receives: 500", "maximum_receives: 1001", r"\$\.trigger\.maximum_receives"),
        (
            "batch_size: 10, batch_window_seconds: 2",
            "batch_size: 11, batch_window_seconds: 0",
            r"batch_size is 11 and batch_window_seconds is 0; .* - at `\$\.trigger`",
        ),
        (
            "maximum_concurrency: 5",
            "maximum_concurrency: 6",
            "trigger.maximum_concurrency is 6, more than the reserved concurrency of 5",
        ),
    ],
)
def test_a_queue_beyond_the_limits_of_sqs_or_lambda_names_the_place(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        _read_queue(tmp_path, QUEUE.replace(right, wrong))


def test_stages_have_an_event_source_and_what_is_invoked_has_none() -> None:
    has_source = {name: spec.has_event_source for name, spec in read_functions().items()}

    assert has_source["score"]
    assert has_source["persist"]
    assert has_source["alert"]
    assert not has_source["rules_validator"]
    assert not has_source["topic_admin"]


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("{actions: [GetItem]}", "names nothing; one of table, queue"),
        ("{table: t, queue: q, actions: [GetItem]}", "names table and queue; one of"),
        (
            "{queue: q, prefix: p/, actions: [SendMessage]}",
            "names a queue and has a prefix, which only a bucket and a table have",
        ),
        (
            "{queue: q, index: i, actions: [Query]}",
            "names a queue and has an index, which only a table has",
        ),
        ("{table: t, actions: []}", "Expected `array` of length >= 1"),
        ("{tables: t, actions: [GetItem]}", "unknown field `tables`"),
    ],
)
def test_an_access_entry_that_is_wrong_names_file_and_place(
    tmp_path: Path, access: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        _read(tmp_path, access)

    assert "function.yaml" in str(caught.value)
    assert "$.access[0]" in str(caught.value)
    assert isinstance(caught.value.__cause__, msgspec.MsgspecError)


@pytest.mark.parametrize(
    "access",
    [
        "{table: t, actions: [GetItem]}, {table: t, actions: [PutItem]}",
        "{queue: q, actions: [SendMessage]}, {table: a_b, actions: [Query]}, {table: a, index: b, actions: [Query]}",
        "{bucket: b, prefix: in/, actions: [GetObject]}, {bucket: b, prefix: In-, actions: [PutObject]}",
    ],
)
def test_two_access_entries_whose_statements_would_have_one_id_are_refused_since_iam_takes_no_such_policy(
    tmp_path: Path, access: str
) -> None:
    last = access.count("{") - 1

    with pytest.raises(SpecError, match=rf"access\[{last}\] names what access\[{last - 1}\] names") as caught:
        _read(tmp_path, access)

    assert "function.yaml" in str(caught.value)


def test_entries_of_one_target_with_other_prefixes_or_its_index_are_accepted(tmp_path: Path) -> None:
    _read(
        tmp_path,
        "{table: t, actions: [GetItem]}, {table: t, index: i, actions: [Query]}, {table: t, prefix: p, actions: [Query]}",
    )

    assert len(read_function("stage", tmp_path).access) == 3


def test_endless_retries_of_kafka_beside_a_destination_are_refused_since_lambda_ends_them(
    tmp_path: Path,
) -> None:
    text = (FUNCTIONS_DIR / "score" / "function.yaml").read_text()
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "function.yaml").write_text(
        text.replace("on_failure: none", "on_failure: dead_letter")
    )

    with pytest.raises(SpecError, match="maximum_retries is -1 and on_failure is dead_letter") as caught:
        read_functions(tmp_path)

    assert "$.trigger" in str(caught.value)
