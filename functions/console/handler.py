"""Lambda's entry to the console: settings, adapters, application, handler."""

from __future__ import annotations

import logging
import os
import random
import secrets
import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Tracer
from botocore.config import Config
from botocore.session import get_session
from mangum import Mangum

from common.case_desk import CaseDesk
from common.case_lookups import CaseLookups
from common.case_lookups import Tables as LookupTables
from common.case_verdicts import CaseVerdicts, ReleaseLimits
from common.cases import cases_backoff
from common.decision_tables import DecisionTables
from common.decision_tables import Tables as DecisionTableNames
from common.dynamodb import CLIENT_CONFIG
from common.label_sender import LabelSender
from common.ruleset_bucket import put_proposal
from common.ruleset_changes import ChangeRows
from common.ruleset_desk import RulesetDesk
from common.settings import read_settings
from common.trial_rows import TrialRows
from common.unreadable_rows import UnreadableRows
from console.app import Desk, make_app
from console.audit_pages import AuditPages
from console.audit_store import AuditStore
from console.audit_trail import AuditTrail
from console.beside import CaseSurroundings
from console.case_pages import CasePages
from console.change_pages import ChangePages
from console.editor_pages import EditorPages
from console.entity_pages import EntityPages
from console.filter_pages import FilterPages
from console.filter_store import FilterStore
from console.judge_pages import JudgePages
from console.list_pages import ListPages
from console.live_records import CLIENT_CONFIG as METRICS_CONFIG
from console.live_records import LiveRecords
from console.model_pages import ModelPages
from console.oidc import IdentityProvider, own_uri
from console.pages import Pages
from console.payment_pages import PaymentPages
from console.people_pages import PeoplePages
from console.queue_pages import QueuePages
from console.records import Records, Tables
from console.replays import CLIENT_CONFIG as REPLAY_CONFIG
from console.replays import Replays
from console.rollout_windows import RolloutWindows
from console.routes import BY_NAME
from console.rules_pages import ActiveDocument, RulesPages
from console.ruleset_reader import RulesetReader
from console.search_pages import SearchPages
from console.session_store import SessionStore
from console.settings import Settings
from console.sign_in import SignInPages
from console.trial_pages import TrialPages
from console.trials import Trials
from console.watch_pages import WatchPages
from console.web import Urllib3Web
from console.week_records import WeekRecords
from console.world_map import LAND_FILE, read_land
from rollouts.tables import CountsTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

VALIDATOR_CONFIG = Config(
    connect_timeout=2, read_timeout=16, retries={"mode": "standard", "total_max_attempts": 1}
)
"""The validator has 15 s; a page has 25."""

logger = Logger()
tracer = Tracer()  # disabled outside Lambda, and where POWERTOOLS_TRACE_DISABLED is true
logging.getLogger("mangum.http").setLevel(logging.WARNING)  # it logs the path of each request

settings = read_settings(Settings, os.environ)  # a missing variable fails the cold start, not the first page
# A page asks partitions side by side.
dynamodb = boto3.client("dynamodb", config=CLIENT_CONFIG.merge(Config(max_pool_connections=32)))
clock = partial(datetime.now, UTC)
audit_store = AuditStore(dynamodb, settings.audit_events_table)
desk = Desk(
    settings,
    SessionStore(dynamodb, settings.console_sessions_table, logger),
    AuditTrail(audit_store, clock, partial(secrets.token_hex, 16)),
    Pages(settings),
    clock,
)
backoff = cases_backoff(time.sleep, random.random)
cases = CaseDesk(dynamodb, settings.cases_table, backoff, random.random, logger)
records = Records(
    dynamodb,
    Tables(
        flagged=settings.flagged_transactions_table,
        history=settings.transaction_history_table,
        labels=settings.labels_table,
        entity_risk=settings.entity_risk_table,
        cases=settings.cases_table,
        links=settings.case_links_table,
        decisions=settings.case_decisions_table,
    ),
    settings.transaction_id_index,
    backoff.pause,
)
labels = LabelSender(boto3.client("sqs", config=CLIENT_CONFIG), settings.labels_queue_url)
decisions = DecisionTables(
    dynamodb,
    DecisionTableNames(
        cases=settings.cases_table,
        decisions=settings.case_decisions_table,
        flagged=settings.flagged_transactions_table,
        pending_labels=settings.pending_labels_table,
    ),
)
limits = ReleaseLimits(Decimal(settings.second_look_amount_base), Decimal(settings.person_day_amount_base))
verdicts = CaseVerdicts(decisions, labels.send, limits, backoff, logger)
beside = CaseSurroundings(
    CaseLookups(dynamodb, LookupTables(settings.cases_table, settings.case_links_table), backoff, logger),
    decisions.decisions,
)
week = WeekRecords(dynamodb, settings.flagged_transactions_table, records)
# By botocore: boto3's own client of S3 brings along transfers of large files, which nothing here needs.
s3: Any = get_session().create_client("s3", config=CLIENT_CONFIG)
rulesets = RulesetDesk(
    dynamodb,
    settings.ruleset_changes_table,
    ChangeRows(dynamodb, settings.ruleset_changes_table, logger),
    s3,
    settings.rules_bucket,
    backoff,
)
reader = RulesetReader(boto3.client("lambda", config=VALIDATOR_CONFIG), settings.rules_validator_function)
active = ActiveDocument(rulesets, reader)
counts = RolloutWindows(
    CountsTable(dynamodb, settings.rollout_counts_table, UnreadableRows(logger), keeps_hours=False)
)
replays = Replays(boto3.client("lambda", config=REPLAY_CONFIG), settings.replay_function, logger)
trials = Trials(
    TrialRows(dynamodb, settings.rollout_counts_table),
    replays,
    partial(put_proposal, s3, settings.rules_bucket),
    partial(secrets.token_hex, 16),
)
flow = LiveRecords(
    boto3.client("cloudwatch", config=METRICS_CONFIG),
    settings.metrics_namespace,
    settings.stages,
    settings.labels_queue_url,
    logger,
)
filters = FilterStore(dynamodb, settings.saved_filters_table)
new_id = partial(secrets.token_hex, 16)
land = cache(partial(read_land, LAND_FILE))  # once a process
provider = IdentityProvider(
    Urllib3Web(),
    settings.oidc_issuer,
    settings.oidc_discovery_url,
    settings.oidc_client_id,
    settings.oidc_groups_claim,
    own_uri(settings.console_url, BY_NAME["finish_sign_in"].path),
    own_uri(settings.console_url, BY_NAME["sign_in"].path),
)
application: Any = Mangum(  # its type of a context is not Powertools'
    make_app(
        desk,
        [
            SignInPages(desk, provider),
            CasePages(desk, cases, records, beside, land, new_id),
            JudgePages(desk, cases, records, verdicts),
            WatchPages(desk, cases, week, flow),
            RulesPages(desk, rulesets, active, week, counts),
            EditorPages(desk, rulesets, active, reader, trials),
            ChangePages(desk, rulesets, active, reader, trials),
            TrialPages(desk, trials, records),
            ListPages(desk, rulesets, active, reader, cases, records),
            ModelPages(desk, active, reader, counts),
            QueuePages(desk, cases, records, verdicts, beside, filters, new_id),
            FilterPages(desk, filters, new_id),
            PaymentPages(desk, cases, records, replays),
            EntityPages(desk, cases, records, beside),
            SearchPages(desk, records, replays),
            AuditPages(desk, audit_store),
            PeoplePages(desk),
        ],
        logger,
    ),
    lifespan="off",
    api_gateway_base_path=settings.base_path or "/",  # behind a domain of its own, paths begin with it
)


@logger.inject_lambda_context(
    log_event=False
)  # whatever POWERTOOLS_LOGGER_LOG_EVENT says: an event has cookies and forms
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    answer: dict[str, Any] = application(event, context)
    return answer
