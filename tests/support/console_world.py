"""The console with its tables, a browser, and an identity provider that signs its tokens; no socket is opened."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from http.cookies import SimpleCookie
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from mangum import Mangum

from common.case_desk import CaseDesk
from common.case_lookups import CaseLookups
from common.case_lookups import Tables as LookupTables
from common.case_verdicts import CaseVerdicts
from common.cases import cases_backoff
from common.decision_tables import DecisionTables
from common.decision_tables import Tables as DecisionTableNames
from common.label_sender import LabelSender
from console.app import Desk, make_app
from console.audit_trail import AuditTrail
from console.beside import CaseSurroundings
from console.case_pages import CasePages
from console.entity_pages import EntityPages
from console.filter_pages import FilterPages
from console.filter_store import FilterStore
from console.judge_pages import JudgePages
from console.live_records import Live
from console.oidc import IdentityProvider, finish_uri
from console.pages import Pages
from console.payment_pages import PaymentPages
from console.people_pages import PeoplePages
from console.queue_pages import QueuePages
from console.records import Records, Tables
from console.search_pages import SearchPages
from console.session_store import SessionStore
from console.sessions import begin_session, csrf_token
from console.settings import Settings
from console.sign_in import SignInPages
from console.watch_pages import WatchPages
from console.week_records import WeekRecords
from contract.case import Judgement, alert_link, from_case_item, to_case_item, to_case_key, to_link_item
from contract.case_decision import CaseDecision, DecidedPayment, Ruling, to_decision_item
from contract.flagged import flag, to_flagged_item
from contract.items import to_item
from contract.label import LabelVerdict
from contract.replayed import ReplayAnswer
from contract.saved_filter import SavedFilter
from contract.scored import to_history_item
from tests.support.audit_memory import MemoryAudit
from tests.support.cases import make_case
from tests.support.console_rulesets import ConsoleRulesets
from tests.support.payments import Log
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.oidc import Web
    from console.rights import Group
    from contract.audit import AuditEvent
    from contract.case import Case
    from contract.flagged import FlaggedKey
    from contract.scored import ScoredTransaction

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
        self.fetched: list[str] = []
        self.status = 200

    def get(self, url: str) -> bytes:
        self.fetched.append(url)
        if url == SETTINGS.oidc_discovery_url:
            base = "https://issuer.example"
            endpoints = {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
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


class MemoryFlow:
    """Metrics that a test has put there."""

    def __init__(self) -> None:
        self.live = Live()

    def read(self, _now: datetime) -> Live:
        return self.live


class MemoryReplays:
    """Answers with what a test has put there."""

    def __init__(self) -> None:
        self.answer = ReplayAnswer(why_not="Ruleset 7 is not kept any more.")
        self.asked: list[FlaggedKey] = []

    def of(self, key: FlaggedKey) -> ReplayAnswer:
        self.asked.append(key)
        return self.answer


class ConsoleWorld:
    """The console, and one browser that keeps its cookies.

    Parameters
    ----------
    dynamodb
        A boto3 client; the tables are made under the names of the settings.
    settings : Settings
        Where the console is, and the provider.
    web : Web | None
        Reaches the provider; None for one in this process.
    events : Any
        The table of audit events; None for one in memory, since moto's PartiQL writes over rows.
    """

    def __init__(
        self, dynamodb: Any, settings: Settings = SETTINGS, web: Web | None = None, events: Any = None
    ) -> None:
        names = {
            "console_sessions": settings.console_sessions_table,
            "saved_filters": settings.saved_filters_table,
            "cases": settings.cases_table,
            "case_links": settings.case_links_table,
            "transaction_history": settings.transaction_history_table,
            "flagged_transactions": settings.flagged_transactions_table,
            "case_decisions": settings.case_decisions_table,
            "pending_labels": settings.pending_labels_table,
            "labels": settings.labels_table,
            "entity_risk": settings.entity_risk_table,
            "ruleset_changes": settings.ruleset_changes_table,
            "rollout_counts": settings.rollout_counts_table,
        }
        for table, name in names.items():
            make_table(dynamodb, table, {table: name}.__getitem__)
        self.now = NOW
        self.settings = settings
        self.dynamodb = dynamodb
        self.events = MemoryAudit()
        self.sessions = SessionStore(dynamodb, settings.console_sessions_table)
        self.provider = Provider()
        self.cookies: dict[str, str] = {}
        self.log = Log()
        self._numbers = count()
        events = events or self.events
        trail = AuditTrail(events, lambda: self.now, lambda: f"event-{next(self._numbers)}")
        self.desk = Desk(settings, self.sessions, trail, Pages(settings), lambda: self.now)
        identity = IdentityProvider(
            web or self.provider,
            settings.oidc_issuer,
            settings.oidc_discovery_url,
            settings.oidc_client_id,
            settings.oidc_groups_claim,
            finish_uri(settings.console_url, "/sign-in/finish"),
        )
        backoff = cases_backoff(lambda _: None, lambda: 0.5)
        self.labels = MemoryQueue()
        self.replays = MemoryReplays()
        self.flow = MemoryFlow()
        tables = Tables(
            flagged=settings.flagged_transactions_table,
            history=settings.transaction_history_table,
            labels=settings.labels_table,
            entity_risk=settings.entity_risk_table,
            cases=settings.cases_table,
            links=settings.case_links_table,
        )
        records = Records(dynamodb, tables, settings.transaction_id_index, lambda _: None)
        cases = CaseDesk(dynamodb, settings.cases_table, backoff, lambda: 0.0)
        client: Any = self.labels
        sender = LabelSender(client, settings.labels_queue_url)
        names_of_tables = DecisionTableNames(
            cases=settings.cases_table,
            decisions=settings.case_decisions_table,
            flagged=settings.flagged_transactions_table,
            pending_labels=settings.pending_labels_table,
        )
        decisions = DecisionTables(dynamodb, names_of_tables)
        verdicts = CaseVerdicts(decisions, sender.send, Decimal(10_000), backoff, self.log)
        lookups = CaseLookups(
            dynamodb, LookupTables(settings.cases_table, settings.case_links_table), backoff
        )
        beside = CaseSurroundings(lookups, decisions.decisions)

        week = WeekRecords(dynamodb, tables.flagged, records)
        self.rulesets = ConsoleRulesets(dynamodb, settings)

        def new_id() -> str:
            return f"decision-{next(self._numbers):08d}"

        filters = FilterStore(dynamodb, settings.saved_filters_table)
        pages = [
            SignInPages(self.desk, identity),
            CasePages(self.desk, cases, records, beside, lambda: LAND, new_id),
            JudgePages(self.desk, cases, records, verdicts),
            WatchPages(self.desk, cases, week, self.flow),
            *self.rulesets.pages(self.desk, week, cases, records),
            QueuePages(self.desk, cases, records, verdicts, beside, filters, new_id),
            FilterPages(self.desk, filters, new_id),
            PaymentPages(self.desk, cases, records, self.replays),
            EntityPages(self.desk, cases, records, beside),
            SearchPages(self.desk, records, self.replays),
            PeoplePages(self.desk, events),
        ]
        self._application = Mangum(make_app(self.desk, pages, self.log), lifespan="off")

    def sign_in(self, *groups: Group, person: str = "person-1") -> str:
        """Give the browser a session without the provider; returns its token."""
        token = f"token-{next(self._numbers)}"
        session = begin_session(token, person, "Ada", groups, self.now, self.settings.lasts)
        self.sessions.insert(session)
        self.cookies[self.desk.session_cookie] = token
        return token

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers=headers or {})

    def post(self, path: str, form: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form of the session that the browser has."""
        token = csrf_token(self.cookies.get(self.desk.session_cookie, ""))
        return self.request("POST", path, headers or {}, {"form_token": token, **form})

    def request(
        self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, Any] | None = None
    ) -> Answer:
        parts = urlsplit(path)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        every = {"Cookie": cookies, "Host": "127.0.0.1:8080", **headers}
        if form is not None:
            every["Content-Type"] = "application/x-www-form-urlencoded"
        event = {
            "resource": "/{proxy+}",
            "path": parts.path,
            "httpMethod": method,
            "headers": every,
            "multiValueHeaders": {name: [value] for name, value in every.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": parse_qs(parts.query) or None,
            "requestContext": {"stage": "v1", "identity": {"sourceIp": "127.0.0.1"}},
            "body": None if form is None else urlencode(form, doseq=True),
            "isBase64Encoded": False,
        }
        answer = Answer(self._application(event, SimpleNamespace()))
        for name, cookie in answer.cookies.items():
            self.cookies[name] = cookie.value
        return answer

    def put_case(self, user_id: str = "user-1", **changes: Any) -> Case:
        """Store a case, with the alert ``alert-<user id>`` and its entities."""
        case = make_case(user_id, **changes)
        self.dynamodb.put_item(TableName=self.settings.cases_table, Item=to_case_item(case))
        for name in (alert_link(f"alert-{user_id}"), *case.entities):
            item = to_link_item(name, case)
            self.dynamodb.put_item(TableName=self.settings.case_links_table, Item=item)
        return case

    def put_payments(self, *rows: ScoredTransaction, case: Case | None = None, **changes: Any) -> None:
        """Store payments in the history, and flagged in a case where one is given; ``changes`` are of the flagged rows."""
        for row in rows:
            item: dict[str, Any] = to_history_item(row, 1_900_000_000)
            item["features"] = {"B": row.features}  # boto3 encodes it
            self.dynamodb.put_item(TableName=self.settings.transaction_history_table, Item=item)
            if case is None:
                continue
            flagged = flag(row, row.scored_at, timedelta(days=800))
            flagged = msgspec.structs.replace(flagged, **{"case_id": case.case_id, **changes})
            flagged = msgspec.structs.replace(flagged, case_judgement=Judgement.of(flagged.status).value)
            item = to_flagged_item(flagged)
            self.dynamodb.put_item(TableName=self.settings.flagged_transactions_table, Item=item)

    def put_decision(self, case: Case, form_id: str, analyst: str, **changes: Any) -> CaseDecision:
        """Store that somebody called the case's payments legitimate, now."""
        decision = CaseDecision(
            case_id=case.case_id,
            decision_id=form_id,
            user_id=case.user_id,
            analyst=analyst,
            decided_at=self.now,
            ruling=Ruling(verdict=LabelVerdict.LEGITIMATE),
            payments=(DecidedPayment(case.payments[0].event_key, "tx-1"),),
            expires_at=case.expires_at,
        )
        decision = msgspec.structs.replace(decision, **changes)
        item = to_decision_item(decision)
        self.dynamodb.put_item(TableName=self.settings.case_decisions_table, Item=item)
        return decision

    def put_filter(self, filter_id: str, person: str = "person-1", **changes: Any) -> None:
        """Store a filter of the queue that somebody keeps."""
        fields = {"name": "Urgent", "view": "open", "severity": "critical", "least": "any"} | changes
        saved = SavedFilter(person=person, filter_id=filter_id, saved_at=self.now, **fields)
        self.dynamodb.put_item(TableName=self.settings.saved_filters_table, Item=to_item(saved))

    def stored_case(self, case: Case) -> Case:
        """Read a case as it is now."""
        answer = self.dynamodb.get_item(TableName=self.settings.cases_table, Key=to_case_key(case.key))
        return from_case_item(answer["Item"])

    def begin(self, next_path: str = "/") -> str:
        """Go to the provider; returns the address with which it sends the browser back."""
        answer = self.get("/sign-in/begin?" + urlencode({"next": next_path}))
        sent = parse_qs(urlsplit(answer.headers["location"]).query)
        self.provider.authorized = {name: values[0] for name, values in sent.items()}
        back = {"code": "code-1", "state": self.provider.authorized["state"]}
        return "/sign-in/finish?" + urlencode(back)

    def deeds(self) -> list[tuple[str, str, str]]:
        """Actor, action and outcome of all audit events but openings and closings of days."""
        return [(event.actor, event.action, event.outcome) for event in self.trail()]

    def trail(self) -> list[AuditEvent]:
        """All audit events but openings and closings of days."""
        chains = {key[0] for key in self.events.rows} - {"days"}
        events = [event for chain in sorted(chains) for event in self.events.chain(chain)]
        return [event for event in events if event.actor != "system"]


def with_url(url: str) -> Settings:
    """Settings of a console at another address."""
    return msgspec.structs.replace(SETTINGS, console_url=url)
