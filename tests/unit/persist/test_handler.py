"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from contract.flagged import from_flagged_item
from persist.settings import Settings
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.crashes import CRASH_VARIABLES
from tests.support.payments import Context, history_event, make_scored
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start, with its table."""
    declare_environment("persist", monkeypatch)
    make_table(aws("dynamodb"), "flagged_transactions")
    return lambda: cold_start("persist", monkeypatch).handler


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
    metrics = emitted(capsys)
    assert metrics["TransactionsFlagged"] == [1.0]
    assert metrics["ColdStart"] == [1.0]
    assert metrics["service"] == "persist"
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "namespace"  # of {ref: metrics.namespace}


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
