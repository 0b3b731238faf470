"""Settings of the console, one field for each variable of its function.yaml."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

WebAddress = Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?$")]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the console reads from its environment."""

    console_url: WebAddress
    """Where people open it, with the stage's path: ``https://<api>.execute-api.<region>.amazonaws.com/<stage>``."""
    console_sessions_table: str
    """The table's name in this environment."""
    saved_filters_table: str
    """The table's name in this environment."""
    audit_events_table: str
    """The table's name in this environment."""
    cases_table: str
    """The table's name in this environment."""
    case_links_table: str
    """The table's name in this environment."""
    transaction_history_table: str
    """The table's name in this environment."""
    transaction_id_index: str = ""
    """Index of the history by transaction id; empty where it is switched off."""
    flagged_transactions_table: str
    """The table's name in this environment."""
    case_decisions_table: str
    """The table's name in this environment."""
    pending_labels_table: str
    """The table's name in this environment."""
    labels_table: str
    """The table's name in this environment."""
    entity_risk_table: str
    """The table's name in this environment."""
    labels_queue_url: str
    """Where labels are sent."""
    ruleset_changes_table: str
    """The table's name in this environment."""
    rollout_counts_table: str
    """The table's name in this environment."""
    rules_bucket: str
    """Where documents of rulesets are."""
    rules_validator_function: str
    """The function that reads and checks them."""
    metrics_namespace: str
    """Of the stages' own metrics in CloudWatch."""
    score_function: str
    """A stage: its ARN with its alias, or its name; as the four below."""
    persist_function: str
    """A stage."""
    alert_function: str
    """A stage."""
    case_function: str
    """A stage."""
    label_function: str
    """A stage."""
    replay_function: str
    """What makes a decision again: its ARN with its alias, or its name."""
    confirm_amount_base: Annotated[int, Meta(ge=1)]
    """A verdict on payments of so much in all, in major units of the base currency, is asked for once more."""
    second_look_amount_base: Annotated[int, Meta(ge=1)]
    """A second person looks at a case by which so much is called legitimate, in major units of the base currency."""
    person_day_amount_base: Annotated[int, Meta(ge=1)]
    """What one person releases in a day without a second person, in major units of the base currency."""
    oidc_issuer: WebAddress
    """The identity provider, as its tokens name it."""
    oidc_discovery_url: WebAddress
    """Where its document of endpoints is: ``<issuer>/.well-known/openid-configuration`` unless it is elsewhere."""
    oidc_client_id: str
    """The console's id there: a public client, without a secret."""
    oidc_groups_claim: str
    """Claim of the identity token that lists a person's groups."""
    session_idle_minutes: Annotated[int, Meta(ge=5, le=480)]
    """How long a session may be unused, minutes."""
    session_hours: Annotated[int, Meta(ge=1, le=24)]
    """How long a session lasts at most, hours."""

    @property
    def stages(self) -> dict[str, str]:
        """Stage to its function's ARN, or its name."""
        return {
            "score": self.score_function,
            "persist": self.persist_function,
            "alert": self.alert_function,
            "case": self.case_function,
            "label": self.label_function,
        }

    @property
    def base_path(self) -> str:
        """What every path begins with: the stage's, or nothing."""
        return urlsplit(self.console_url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port of the console, as a browser names where a form comes from."""
        parts = urlsplit(self.console_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        """Whether people reach it by HTTPS; cookies are for that only then."""
        return self.console_url.startswith("https://")

    @property
    def idle(self) -> timedelta:
        """How long a session may be unused."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def lasts(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self.session_hours)
