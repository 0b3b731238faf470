"""Settings from the function's environment, and the client that they configure."""

from __future__ import annotations

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from topic_admin.cluster import client_config
from topic_admin.settings import Settings


def test_an_unknown_protocol_is_refused_naming_the_variable() -> None:
    with pytest.raises(SettingsError, match="KAFKA_SECURITY_PROTOCOL"):
        read_settings(Settings, {"KAFKA_BOOTSTRAP_SERVERS": "b:9098", "KAFKA_SECURITY_PROTOCOL": "SSL"})


def test_the_client_signs_in_only_with_sasl() -> None:
    with_sign_in = client_config(Settings("b:9098", "SASL_SSL"), "eu-central-1")
    without = client_config(Settings("b:9092", "PLAINTEXT"), "eu-central-1")

    assert with_sign_in["security.protocol"] == "SASL_SSL"
    assert with_sign_in["sasl.mechanisms"] == "OAUTHBEARER"
    assert callable(with_sign_in["oauth_cb"])
    assert without == {"bootstrap.servers": "b:9092", "security.protocol": "PLAINTEXT"}
