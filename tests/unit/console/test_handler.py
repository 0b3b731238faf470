"""The console in the function as it is deployed: a missing setting fails its start, and it logs nobody's path."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from console.rights import Group
from console.sessions import begin_session
from console.settings import Settings
from contract.case import to_case_item
from contract.items import to_item
from ops.manifests import ROOT
from tests.support.audit_memory import MemoryAudit
from tests.support.cases import make_case
from tests.support.cold_start import cold_start, declare_environment
from tests.support.payments import Context
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = {
    "CONSOLE_URL": "https://console.example/v1",
    "CONSOLE_SESSIONS_TABLE": "console_sessions",
    "AUDIT_EVENTS_TABLE": "audit_events",
    "SAVED_FILTERS_TABLE": "saved_filters",
    "CASES_TABLE": "cases",
    "CASE_LINKS_TABLE": "case_links",
    "TRANSACTION_HISTORY_TABLE": "transaction_history",
    "FLAGGED_TRANSACTIONS_TABLE": "flagged_transactions",
    "CASE_DECISIONS_TABLE": "case_decisions",
    "PENDING_LABELS_TABLE": "pending_labels",
    "LABELS_TABLE": "labels",
    "ENTITY_RISK_TABLE": "entity_risk",
    "RULESET_CHANGES_TABLE": "ruleset_changes",
    "ROLLOUT_COUNTS_TABLE": "rollout_counts",
    "RULES_BUCKET": "rules",
    "RULES_VALIDATOR_FUNCTION": "rules_validator",
    "LABELS_QUEUE_URL": "https://sqs.example/labels",
    "REPLAY_FUNCTION": "replay",
    "METRICS_NAMESPACE": "FraudDetection",
    "SCORE_FUNCTION": "score",
    "PERSIST_FUNCTION": "persist",
    "ALERT_FUNCTION": "alert",
    "CASE_FUNCTION": "case",
    "LABEL_FUNCTION": "label",
    "CONFIRM_AMOUNT_BASE": "10000",
    "SECOND_LOOK_AMOUNT_BASE": "10000",
    "PERSON_DAY_AMOUNT_BASE": "50000",
    "OIDC_ISSUER": "https://issuer.example/pool",
    "OIDC_DISCOVERY_URL": "https://issuer.example/pool/.well-known/openid-configuration",
    "OIDC_CLIENT_ID": "client",
    "OIDC_GROUPS_CLAIM": "cognito:groups",
    "SESSION_IDLE_MINUTES": "30",
    "SESSION_HOURS": "12",
}


@pytest.mark.parametrize("variable", GOOD)
def test_a_missing_setting_fails_the_cold_start(variable: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, {name: value for name, value in GOOD.items() if name != variable})

    assert set(refusal.value.problems) == {variable}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONSOLE_URL", "console.example"),
        ("CONSOLE_URL", "ftp://console.example"),
        ("CONSOLE_URL", "https://console.example/?x"),
        ("OIDC_ISSUER", "issuer"),
        ("SESSION_IDLE_MINUTES", "4"),
        ("SESSION_IDLE_MINUTES", "481"),
        ("SESSION_HOURS", "0"),
        ("SESSION_HOURS", "25"),
        ("CONFIRM_AMOUNT_BASE", "0"),
        ("SECOND_LOOK_AMOUNT_BASE", "-1"),
        ("PERSON_DAY_AMOUNT_BASE", "0"),
    ],
)
def test_a_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}


@pytest.mark.parametrize(
    ("url", "base_path", "origin", "is_secure"),
    [
        ("https://console.example/v1/", "/v1", "https://console.example", True),
        ("https://console.example", "", "https://console.example", True),
        ("http://127.0.0.1:8080", "", "http://127.0.0.1:8080", False),
    ],
)
def test_what_follows_from_the_address(url: str, base_path: str, origin: str, is_secure: bool) -> None:
    settings = read_settings(Settings, GOOD | {"CONSOLE_URL": url})

    assert (settings.base_path, settings.origin, settings.is_secure) == (base_path, origin, is_secure)


def event(path: str, cookie: str = "") -> dict[str, Any]:
    """A request as a REST API writes it."""
    headers = {"Host": "console.example", "Cookie": cookie}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"stage": "v1", "identity": {"sourceIp": "198.51.100.7"}},
        "body": None,
        "isBase64Encoded": False,
    }


def test_the_function_answers_and_logs_no_path_no_cookie_and_no_address(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declare_environment("console", monkeypatch)
    for variable, value in GOOD.items():
        monkeypatch.setenv(variable, value)
    for table in ("console_sessions", "cases", "case_links", "audit_events"):
        make_table(aws("dynamodb"), table)
    now = datetime.now(UTC)
    session = begin_session("token-1", "person-1", "Ada", (Group.ANALYST,), now, timedelta(hours=1))
    aws("dynamodb").put_item(TableName="console_sessions", Item=to_item(session))
    broken = to_case_item(make_case()) | {"severity": {"S": "none"}}  # a row that cannot be read
    aws("dynamodb").put_item(TableName="cases", Item=broken)
    console = cold_start("console", monkeypatch)
    rows = MemoryAudit()
    for call in ("insert", "at", "last"):  # moto here has no PartiQL; the integration tests have
        monkeypatch.setattr(console.audit_store, call, getattr(rows, call))
    handler = console.handler

    page = handler(event("/sign-in"), Context())
    refused = handler(event("/cases/80048216f18b6e4f9049b00fb70d7d1f-3"), Context())
    failed = handler(event(f"/cases/{make_case().case_id}", "__Host-console_session=token-1"), Context())

    printed = "".join(capsys.readouterr())
    assert (page["statusCode"], refused["statusCode"], failed["statusCode"]) == (200, 303, 500)
    assert 'href="/v1/sign-in/begin"' in page["body"]
    assert "InvalidRowError" in printed
    assert not [
        text for text in ("80048216", "token-1", "198.51.100.7", "/queue", "user-1", "Ada") if text in printed
    ]


def test_what_only_a_sign_in_needs_is_not_imported_at_the_start() -> None:
    code = "import sys, console.app, console.sign_in, console.web; print(*sys.modules)"

    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert not {"authlib", "joserfc", "cryptography"} & {
        name.partition(".")[0] for name in run.stdout.split()
    }
