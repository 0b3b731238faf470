"""The reconciler's settings have limits, and two daily runs see each payment."""

from __future__ import annotations

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from ops.manifests import read_functions
from reconcile.settings import Settings

GOOD = {
    "TRANSACTION_HISTORY_TABLE": "h",
    "FLAGGED_TRANSACTIONS_TABLE": "f",
    "CASES_TABLE": "c",
    "PERSIST_FUNCTION": "arn:persist:live",
    "ALERT_FUNCTION": "arn:alert:live",
    "CASE_FUNCTION": "arn:case:live",
    "LOOK_BACK_HOURS": "48",
    "GRACE_MINUTES": "30",
}


def test_two_daily_runs_look_at_each_payment() -> None:
    spec = read_functions()["reconcile"]

    assert int(str(spec.environment["LOOK_BACK_HOURS"])) >= 2 * spec.trigger.every_minutes / 60  # type: ignore[union-attr] # a schedule


@pytest.mark.parametrize(
    ("variable", "value"), [("LOOK_BACK_HOURS", "0"), ("LOOK_BACK_HOURS", "721"), ("GRACE_MINUTES", "601")]
)
def test_a_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}
