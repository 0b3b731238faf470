"""The score stage reads from its environment what its function.yaml declares, within limits."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import NoCredentialsError

from cache.auth import cache_credentials
from cache.primary import connect
from common.errors import SettingsError
from common.settings import read_settings
from ops.manifests import read_functions
from score.settings import Settings

GOOD = {
    "ELASTICACHE_REDIS_ENDPOINT": "cache:6379",
    "TRANSACTION_HISTORY_TABLE": "transaction_history",
    "PROFILE_CHECKPOINTS_TABLE": "profile_checkpoints",
    "QUARANTINE_QUEUE_URL": "https://queue",
    "QUARANTINE_BUCKET": "bucket",
    "DEAD_LETTER_QUEUE_URL": "https://dead",
    "RECORD_CRASHES_TABLE": "record_crashes",
    "MAX_CRASHES": "50",
    "COUNT_CRASHES_AFTER_SECONDS": "60",
    "RULES_APPLICATION": "a",
    "RULES_ENVIRONMENT": "e",
    "RULES_PROFILE": "p",
    "RULES_BUCKET": "rules",
    "ROLLOUT_COUNTS_TABLE": "rollout_counts",
}


def test_the_settings_are_those_of_function_yaml() -> None:
    declared = {name for name in read_functions()["score"].environment if not name.startswith("POWERTOOLS_")}

    assert {field.upper() for field in Settings.__struct_fields__} == declared


def test_every_bad_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(
            Settings, GOOD | {"RULES_PROFILE": "", "RULES_REFRESH_SECONDS": "0", "QUARANTINE_BUCKET": ""}
        )

    assert set(raised.value.problems) == {"RULES_PROFILE", "RULES_REFRESH_SECONDS", "QUARANTINE_BUCKET"}


def test_the_cache_may_be_named_by_host_and_port_or_by_url() -> None:
    plain = connect("cache.internal:6380").connection_pool.connection_kwargs
    secure = connect("rediss://fraud@cache.internal:6379").connection_pool

    assert (plain["host"], plain["port"]) == ("cache.internal", 6380)
    assert secure.connection_class.__name__ == "SSLConnection"
    assert secure.connection_kwargs["username"] == "fraud"


def signature(token: str, secret: str) -> str:
    """Sign a token's request by hand (AWS Signature Version 4): a GET of ``/`` from the host, with an empty body."""
    host, _, query = token.partition("/?")
    parameters = sorted(part for part in query.split("&") if not part.startswith("X-Amz-Signature"))
    request = "\n".join(
        ["GET", "/", "&".join(parameters), f"host:{host}", "", "host", sha256(b"").hexdigest()]
    )
    sent = {name: values[0] for name, values in parse_qs(query).items()}
    scope = sent["X-Amz-Credential"].partition("/")[2]
    text = "\n".join(["AWS4-HMAC-SHA256", sent["X-Amz-Date"], scope, sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def test_iam_tokens_are_presigned_requests_for_the_replication_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    session = boto3.Session(region_name="eu-central-1")
    endpoint = "rediss://fraud-score@cache.internal:6379"
    settings = read_settings(
        Settings, GOOD | {"ELASTICACHE_REDIS_ENDPOINT": endpoint, "CACHE_REPLICATION_GROUP": "profiles"}
    )

    credentials = cache_credentials(session, settings)

    assert credentials is not None
    user, token = cast("tuple[str, str]", credentials.get_credentials())
    assert user == "fraud-score"
    assert token.startswith("profiles/?Action=connect&User=fraud-score&X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert "X-Amz-Expires=900" in token
    assert "eu-central-1%2Felasticache%2Faws4_request" in token
    assert parse_qs(urlsplit(f"//{token}").query)["X-Amz-Signature"] == [signature(token, "secret")]
    assert cache_credentials(session, read_settings(Settings, GOOD)) is None


@pytest.mark.parametrize(
    ("variable", "value", "is_valid"),
    [
        ("RULES_REFRESH_SECONDS", "14", False),
        ("RULES_REFRESH_SECONDS", "15", True),
        ("RULES_REFRESH_SECONDS", "3600", True),
        ("RULES_REFRESH_SECONDS", "3601", False),
        ("HISTORY_RETENTION_DAYS", "0", False),
        ("HISTORY_RETENTION_DAYS", "1", True),
        ("HISTORY_RETENTION_DAYS", "3650", True),
        ("HISTORY_RETENTION_DAYS", "3651", False),
        ("PROFILE_RETENTION_DAYS", "0", False),
        ("PROFILE_RETENTION_DAYS", "3650", True),
        ("PROFILE_RETENTION_DAYS", "3651", False),
    ],
)
def test_numbers_have_limits(variable: str, value: str, is_valid: bool) -> None:
    if is_valid:
        assert getattr(read_settings(Settings, GOOD | {variable: value}), variable.lower()) == int(value)
    else:
        with pytest.raises(SettingsError, match=variable):
            read_settings(Settings, GOOD | {variable: value})


def test_what_is_not_set_has_its_default() -> None:
    settings = read_settings(Settings, GOOD)

    assert (settings.rules_refresh_seconds, settings.history_retention_days) == (15, 400)
    assert (settings.profile_retention_days, settings.cache_replication_group) == (90, "")


def test_iam_sign_in_without_credentials_is_an_error() -> None:
    class Session:
        region_name = "eu-central-1"

        def get_credentials(self) -> None:
            return None

    session: Any = Session()
    settings = read_settings(Settings, GOOD | {"CACHE_REPLICATION_GROUP": "profiles"})

    with pytest.raises(NoCredentialsError):
        cache_credentials(session, settings)
