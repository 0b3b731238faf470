"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from common.errors import SettingsError
from common.settings import read_settings
from contract.flagged import from_flagged_item
from ops.manifests import read_functions
from persist.settings import Settings
from tests.support.crashes import CRASH_VARIABLES
from tests.support.payments import Context, history_event, make_scored
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = read_functions()["persist"].environment
    for variable, value in declared.items():
        monkeypatch.setenv(variable, value if isinstance(value, str) else value.ref.partition(".")[2])


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], environment: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start. In the test, not before: the logger keeps the output that it finds, and pytest changes it."""

    def load() -> Callable[..., Any]:
        reset_cold_start_flag()  # type: ignore[no-untyped-call]  # Powertools types none
        monkeypatch.delitem(sys.modules, "persist.handler", raising=False)
        monkeypatch.delitem(logging.Logger.manager.loggerDict, "persist", raising=False)
        handler: Callable[..., Any] = importlib.import_module("persist.handler").handler
        return handler

    make_table(aws("dynamodb"), "flagged_transactions")
    return load


def test_settings_are_the_variables_that_the_function_declares() -> None:
    declared = read_functions()["persist"].environment

    assert {field.name.upper() for field in msgspec.structs.fields(Settings)} == {
        variable for variable in declared if not variable.startswith("POWERTOOLS_")
    }


@pytest.mark.parametrize("days", ["0", "3654", "many"])
def test_retention_out_of_bounds_fails_the_cold_start(days: str) -> None:
    with pytest.raises(SettingsError, match="FLAGGED_RETENTION_DAYS"):
        read_settings(
            Settings, CRASH_VARIABLES | {"FLAGGED_TRANSACTIONS_TABLE": "t", "FLAGGED_RETENTION_DAYS": days}
        )


def test_handler_flags_a_payment_and_emits_its_metrics(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = load_handler()(history_event(make_scored()), Context())

    assert answer == {"batchItemFailures": []}
    (item,) = aws("dynamodb").scan(TableName="flagged_transactions")["Items"]
    row = from_flagged_item(item)
    assert row.expires_at == int((row.flagged_at + timedelta(days=800)).timestamp())
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    emitted = {name: value for line in printed for name, value in line.items()}
    assert emitted["TransactionsFlagged"] == [1.0]
    assert emitted["ColdStart"] == [1.0]
    assert emitted["service"] == "persist"
    assert emitted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "namespace"  # of {ref: metrics.namespace}


def test_output_of_a_failed_batch_holds_nothing_of_the_payment(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("dynamodb").delete_table(TableName="flagged_transactions")

    answer = load_handler()(history_event(make_scored()), Context())

    printed = capsys.readouterr()
    output = printed.out + printed.err
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert "PutItem: ResourceNotFoundException" in output
    assert all(secret not in output for secret in ("user-1", "203.0.113.7", "tok_", "Paris", "1250"))


@pytest.mark.parametrize("days", ["1", "3653"])
def test_retention_is_one_day_to_ten_years(days: str) -> None:
    settings = read_settings(
        Settings, CRASH_VARIABLES | {"FLAGGED_TRANSACTIONS_TABLE": "t", "FLAGGED_RETENTION_DAYS": days}
    )

    assert settings.flagged_retention_days == int(days)
