"""What a console of tests needs: its settings, the time, an identity provider that signs its tokens, a queue, and API Gateway's answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Final

from console.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)

LAND: Final = (((-10.0, 36.0), (30.0, 36.0), (30.0, 60.0), (-10.0, 60.0)),)
"""A coast around Europe."""

SETTINGS: Final = Settings(
    console_url="http://127.0.0.1:8080",
    console_sessions_table="console_sessions",
    saved_filters_table="saved_filters",
    audit_events_table="audit_events",
    cases_table="cases",
    case_links_table="case_links",
    transaction_history_table="transaction_history",
    transaction_id_index="by_transaction_id",
    flagged_transactions_table="flagged_transactions",
    case_decisions_table="case_decisions",
    pending_labels_table="pending_labels",
    labels_table="labels",
    entity_risk_table="entity_risk",
    ruleset_changes_table="ruleset_changes",
    rollout_counts_table="rollout_counts",
    rules_bucket="rules",
    rules_validator_function="rules_validator",
    labels_queue_url="https://sqs.example/labels",
    replay_function="replay",
    metrics_namespace="FraudDetection",
    score_function="score",
    persist_function="persist",
    alert_function="alert",
    case_function="case",
    label_function="label",
    confirm_amount_base=10_000,
    second_look_amount_base=10_000,
    person_day_amount_base=50_000,
    oidc_issuer="https://issuer.example/pool",
    oidc_discovery_url="https://issuer.example/pool/.well-known/openid-configuration",
    oidc_client_id="console",
    oidc_groups_claim="cognito:groups",
    session_idle_minutes=30,
    session_hours=12,
)


class Answer:
    """What API Gateway gets from the function."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.status: int = answer["statusCode"]
        self.body: str = answer["body"]
        self.cookies = SimpleCookie()
        headers: dict[str, list[str]] = {name: [value] for name, value in answer["headers"].items()}
        headers |= answer["multiValueHeaders"]
        for cookie in headers.get("set-cookie", []):
            self.cookies.load(cookie)
        self.headers = {name: values[0] for name, values in headers.items()}


@cache
def signing_key(kid: str, owner: str = "provider") -> Any:
    """A key of the provider, or of somebody else under the same id; making one takes a while."""
    from joserfc.jwk import RSAKey

    parameters: Any = {"kid": kid, "use": "sig", "alg": "RS256", "owner": owner}
    return RSAKey.generate_key(2048, parameters)


class Provider:
    """An identity provider: knows its people's groups, and signs what it says of them."""

    def __init__(self) -> None:
        self.key = signing_key("key-1")
        self.published = [self.key]
        self.claims: dict[str, Any] = {}
        """Of the next token, in place of the usual ones."""
        self.authorized: dict[str, str] = {}
        """What the browser was sent with."""
        self.end_session: str | None = "https://issuer.example/logout"
        """Where it signs people out."""
        self.fetched: list[str] = []
        self.status = 200

    def get(self, url: str) -> bytes:
        self.fetched.append(url)
        if url == SETTINGS.oidc_discovery_url:
            base = "https://issuer.example"
            endpoints = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
            if self.end_session is not None:
                endpoints["end_session_endpoint"] = self.end_session
            return json.dumps(
                {"issuer": SETTINGS.oidc_issuer, "jwks_uri": f"{base}/keys", **endpoints}
            ).encode()
        return json.dumps({"keys": [key.as_dict(private=False) for key in self.published]}).encode()

    def post(self, url: str, form: Mapping[str, Any]) -> tuple[int, bytes]:
        from authlib.oauth2.rfc7636 import create_s256_code_challenge
        from joserfc import jwt

        challenge = create_s256_code_challenge(form["code_verifier"])
        if self.status != 200 or challenge != self.authorized["code_challenge"]:
            return 400, b'{"error": "invalid_grant"}'
        claims = {
            "iss": SETTINGS.oidc_issuer,
            "aud": SETTINGS.oidc_client_id,
            "sub": "person-1",
            "name": "Ada",
            "nonce": self.authorized["nonce"],
            "iat": int(NOW.timestamp()),
            "exp": int((NOW + timedelta(hours=1)).timestamp()),
            "cognito:groups": ["analyst"],
        } | self.claims
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return 200, json.dumps({"id_token": token, "access_token": "a", "token_type": "Bearer"}).encode()


class MemoryQueue:
    """A queue whose messages can be read; refuses some of them at first."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.refusals = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == SETTINGS.labels_queue_url
        refused = min(self.refusals, len(Entries))
        self.refusals -= refused
        taken = Entries[refused:]
        self.bodies += [json.loads(entry["MessageBody"]) for entry in taken]
        return {
            "Successful": [{"Id": entry["Id"]} for entry in taken],
            "Failed": [{"Id": entry["Id"]} for entry in Entries[:refused]],
        }
