"""Where the tokenisation key comes from."""

from __future__ import annotations

import boto3
import pytest
from moto import mock_aws

from glue_scripts.stream_transactions import read_key


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)


@mock_aws
def test_one_kms_key_gives_one_tokenization_key_and_another_another() -> None:
    kms = boto3.client("kms")
    first, second = (
        kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["Arn"]
        for _ in range(2)
    )

    keys = [read_key(f"kms:{arn}") for arn in (first, first, second)]

    assert keys[0] == keys[1] != keys[2]
    assert {len(key) for key in keys} == {32}


def test_a_variable_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_KEY", "clé")

    assert read_key("env:CARD_KEY") == "clé".encode()


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(KeyError, match="NO_SUCH_KEY"):
        read_key("env:NO_SUCH_KEY")
