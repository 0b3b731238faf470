"""The console with its tables, a browser, and an identity provider that signs its tokens; no socket is opened."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from mangum import Mangum

from common.case_desk import CaseDesk
from common.case_lookups import CaseLookups
from common.case_lookups import Tables as LookupTables
from common.case_verdicts import CaseVerdicts, ReleaseLimits
from common.cases import cases_backoff
from common.decision_tables import DecisionTables
from common.decision_tables import Tables as DecisionTableNames
from common.label_sender import LabelSender
from console.app import Desk, make_app
from console.audit_pages import AuditPages
from console.audit_trail import AuditTrail
from console.beside import CaseSurroundings
from console.case_pages import CasePages
from console.entity_pages import EntityPages
from console.filter_pages import FilterPages
from console.filter_store import FilterStore
from console.judge_pages import JudgePages
from console.live_records import Live
from console.oidc import IdentityProvider, own_uri
from console.pages import Pages
from console.payment_pages import PaymentPages
from console.people_pages import PeoplePages
from console.queue_pages import QueuePages
from console.records import Records, Tables
from console.search_pages import SearchPages
from console.session_store import SessionStore
from console.sessions import begin_session, csrf_token
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
from tests.support.console_parts import LAND, NOW, SETTINGS, Answer, MemoryQueue, Provider, signing_key
from tests.support.console_rulesets import ConsoleRulesets
from tests.support.payments import Log
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from console.oidc import Web
    from console.rights import Group
    from console.settings import Settings
    from contract.audit import AuditEvent
    from contract.case import Case
    from contract.flagged import FlaggedKey
    from contract.scored import ScoredTransaction
    from contract.tried import TryJob

__all__ = ["LAND", "NOW", "SETTINGS", "Answer", "ConsoleWorld", "MemoryReplays", "signing_key", "with_url"]


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
        self.jobs: list[TryJob] = []
        self.takes_jobs = True

    def start(self, job: TryJob) -> bool:
        self.jobs.append(job)
        return self.takes_jobs

    def of(self, key: FlaggedKey) -> ReplayAnswer:
        self.asked.append(key)
        return self.answer


def make_tables(dynamodb: Any, settings: Settings) -> None:
    """Make the console's tables under the names that its settings give them."""
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


def decision_tables(dynamodb: Any, settings: Settings) -> DecisionTables:
    """What people decide on, in these tables."""
    names = DecisionTableNames(
        cases=settings.cases_table,
        decisions=settings.case_decisions_table,
        flagged=settings.flagged_transactions_table,
        pending_labels=settings.pending_labels_table,
    )
    return DecisionTables(dynamodb, names)


def identity_provider(web: Web, settings: Settings) -> IdentityProvider:
    """The provider that the settings name, reached over ``web``."""
    return IdentityProvider(
        web,
        settings.oidc_issuer,
        settings.oidc_discovery_url,
        settings.oidc_client_id,
        settings.oidc_groups_claim,
        own_uri(settings.console_url, "/sign-in/finish"),
        own_uri(settings.console_url, "/sign-in"),
    )


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
        make_tables(dynamodb, settings)
        self.now = NOW
        self.settings = settings
        self.dynamodb = dynamodb
        self.events = MemoryAudit()
        self.log = Log()
        self.sessions = SessionStore(dynamodb, settings.console_sessions_table, self.log)
        self.provider = Provider()
        self.cookies: dict[str, str] = {}
        self._numbers = count()
        events = events or self.events
        trail = AuditTrail(events, lambda: self.now, lambda: f"event-{next(self._numbers)}")
        self.desk = Desk(settings, self.sessions, trail, Pages(settings), lambda: self.now)
        identity = identity_provider(web or self.provider, settings)
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
            decisions=settings.case_decisions_table,
        )
        self.records = records = Records(dynamodb, tables, settings.transaction_id_index, lambda _: None)
        cases = CaseDesk(dynamodb, settings.cases_table, backoff, lambda: 0.0, self.log)
        client: Any = self.labels
        sender = LabelSender(client, settings.labels_queue_url)
        decisions = decision_tables(dynamodb, settings)
        verdicts = CaseVerdicts(
            decisions, sender.send, ReleaseLimits(Decimal(10_000), Decimal(50_000)), backoff, self.log
        )
        lookups = CaseLookups(
            dynamodb, LookupTables(settings.cases_table, settings.case_links_table), backoff, self.log
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
            *self.rulesets.pages(self.desk, week, cases, records, self.replays),
            QueuePages(self.desk, cases, records, verdicts, beside, filters, new_id),
            FilterPages(self.desk, filters, new_id),
            PaymentPages(self.desk, cases, records, self.replays),
            EntityPages(self.desk, cases, records, beside),
            SearchPages(self.desk, records, self.replays),
            AuditPages(self.desk, events),
            PeoplePages(self.desk),
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
