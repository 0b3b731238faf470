"""What the score stage reads from its environment is what its function.yaml declares."""

from __future__ import annotations

from typing import cast

import boto3
import pytest

from common.errors import SettingsError
from common.settings import read_settings
from ops.manifests import read_functions
from score.cache_auth import cache_credentials
from score.profile_store import connect
from score.settings import Settings

GOOD = {
    "ELASTICACHE_REDIS_ENDPOINT": "cache:6379",
    "TRANSACTION_HISTORY_TABLE": "transaction_history",
    "QUARANTINE_QUEUE_URL": "https://queue",
    "QUARANTINE_BUCKET": "bucket",
    "RULES_APPLICATION": "a",
    "RULES_ENVIRONMENT": "e",
    "RULES_PROFILE": "p",
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
    assert cache_credentials(session, read_settings(Settings, GOOD)) is None
