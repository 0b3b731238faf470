"""Signatures are those of botocore, whatever changes between two requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from score.signature import Signature

URL = "https://dynamodb.eu-central-1.amazonaws.com/"
HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.Query",
    "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "Boto3/1  {md}",
}
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


EVENTS = HierarchicalEmitter()  # a signer keeps no reference that would hold it


def signer_of(credentials: Credentials | None) -> RequestSigner:
    absent: Any = credentials
    return RequestSigner(ServiceId("DynamoDB"), "eu-central-1", "dynamodb", "v4", absent, EVENTS)


def botocores(signer: RequestSigner, url: str, body: bytes, at: datetime, patch: pytest.MonkeyPatch) -> Any:
    patch.setattr(auth, "get_current_datetime", lambda: at)
    request = AWSRequest("POST", url, HEADERS, body)
    signer.sign("Query", request)
    return {name.lower(): value for name, value in request.prepare().headers.items()}


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "http://127.0.0.1:4566",
        "http://localhost:80/a",
        "https://dynamodb:443/",
        "https://[::1]:8000/",
        "https://Gateway.example/dynamo%20db/eu",
    ],
)
@pytest.mark.parametrize("token", [None, "session/{token}=="])
def test_headers_are_those_that_botocore_makes(
    url: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = signer_of(Credentials("AKIA", "secret", token))
    signature = Signature(signer, url, HEADERS)

    for body in (b'{"TableName":"t"}', b"x" * 30_000):
        headers = {name.lower(): value for name, value in signature.headers(body, NOON).items()}
        assert headers == botocores(signer, url, body, NOON, monkeypatch)


def test_a_new_day_and_new_credentials_have_their_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials("AKIA", "secret", "first")
    signer = signer_of(credentials)
    signature = Signature(signer, URL, HEADERS)

    for at, secret, token in (
        (NOON, "secret", "first"),
        (NOON.replace(day=2), "secret", "first"),
        (NOON.replace(day=2), "another", "second"),
        (NOON.replace(day=2), "another", None),
    ):
        credentials.secret_key, credentials.token = secret, token
        wanted = botocores(signer, URL, b"{}", at, monkeypatch)
        assert signature.headers(b"{}", at)["Authorization"] == wanted["authorization"]


def test_without_credentials_nothing_is_signed() -> None:
    signature = Signature(signer_of(None), URL, HEADERS)

    with pytest.raises(NoCredentialsError):
        signature.headers(b"{}", NOON)
