"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from case.settings import Settings
from common.errors import SettingsError
from common.settings import read_settings
from contract.case import from_case_item
from contract.flagged import CANARY, CONFIRMED_FRAUD, from_flagged_item, to_flagged_item, to_flagged_key
from local.event_sources.filter import compile_filter
from ops.manifests import StreamTrigger, read_functions
from tests.support.case_store_contract import LIMITS, payment
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.crashes import CRASH_VARIABLES
from tests.support.payments import Context, flagged_event, stream_event
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable


GOOD = CRASH_VARIABLES | {
    "FLAGGED_TRANSACTIONS_TABLE": "f",
    "CASES_TABLE": "c",
    "CASE_LINKS_TABLE": "l",
    "CASE_DECISIONS_TABLE": "d",
    "CASE_LARGE_AMOUNT_BASE": "1000",
    "CASE_VERY_LARGE_AMOUNT_BASE": "10000",
    "CASE_DUE_MINUTES_1": "60",
    "CASE_DUE_MINUTES_2": "240",
    "CASE_DUE_MINUTES_3": "1440",
    "CASE_DUE_MINUTES_4": "4320",
}
"""As in function.yaml, with values for its references."""


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start, with its tables."""
    declare_environment("case", monkeypatch)
    for table in ("flagged_transactions", "cases", "case_links", "case_decisions", "record_crashes"):
        make_table(aws("dynamodb"), table)
    return lambda: cold_start("case", monkeypatch).handler


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CASE_LARGE_AMOUNT_BASE", "0"),
        ("CASE_VERY_LARGE_AMOUNT_BASE", "-1"),
        ("CASE_DUE_MINUTES_1", "0"),
        ("CASE_DUE_MINUTES_4", "43201"),
        ("CASES_TABLE", ""),
    ],
)
def test_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}


def test_limits_are_those_of_the_settings() -> None:
    assert read_settings(Settings, GOOD).case_limits == LIMITS


def test_handler_opens_a_case_and_closes_it_with_the_label(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    client, one, handler = aws("dynamodb"), payment(), load_handler()
    client.put_item(TableName="flagged_transactions", Item=to_flagged_item(one))

    answer = handler(flagged_event(one), Context())

    metrics = emitted(capsys)
    assert answer == {"batchItemFailures": []}
    assert (metrics["CasesOpened"], metrics["PaymentsAdded"], metrics["service"]) == ([1.0], [1.0], "case")
    client.update_item(
        TableName="flagged_transactions",
        Key=to_flagged_key(one.key),
        UpdateExpression="SET #status = :fraud",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":fraud": {"S": CONFIRMED_FRAUD}},
    )
    (row,) = client.scan(TableName="flagged_transactions")["Items"]
    handler(stream_event([row], "MODIFY"), Context())
    (case,) = client.scan(TableName="cases")["Items"]
    assert from_case_item(case).verdict == "fraud"
    assert emitted(capsys)["CasesClosed"] == [1.0]
    (row,) = client.scan(TableName="flagged_transactions")["Items"]
    assert from_flagged_item(row).case_judgement == "fraud"


def test_output_of_a_failed_batch_holds_nothing_of_the_payment(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("dynamodb").put_item(TableName="flagged_transactions", Item=to_flagged_item(payment()))
    aws("dynamodb").delete_table(TableName="cases")

    answer = load_handler()(flagged_event(payment()), Context())

    printed = capsys.readouterr()
    output = printed.out + printed.err
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert "ResourceNotFoundException" in output
    assert all(secret not in output for secret in ("user-1", "203.0.113.7", "tok_", "Paris", "1250"))


@pytest.mark.parametrize(
    ("event_name", "changes", "is_delivered"),
    [
        ("INSERT", {}, True),
        ("MODIFY", {"status": CONFIRMED_FRAUD}, True),
        ("INSERT", {"status": CANARY}, True),
        ("REMOVE", {}, False),
    ],
)
def test_the_mapping_delivers_what_may_change_a_case_and_the_canary_as_a_heartbeat(
    event_name: str, changes: dict[str, Any], is_delivered: bool
) -> None:
    trigger = read_functions()["case"].trigger
    assert isinstance(trigger, StreamTrigger)
    (record,) = stream_event([to_flagged_item(payment(**changes))], event_name)["Records"]

    assert compile_filter(trigger.filter)(record) is is_delivered
