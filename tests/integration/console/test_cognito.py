"""People sign in to the console at the local stack's Cognito, with PKCE and tokens that are really signed."""

from __future__ import annotations

import http.client
import re
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest

from console.audit_store import AuditStore
from console.rights import Group
from console.web import Urllib3Web
from local.identity import ConsoleSite, make_console_site
from ops.audit_verify import AuditTable
from tests.support.console_world import SETTINGS, ConsoleWorld
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:8080"


@pytest.fixture
def site(aws_endpoint: str) -> ConsoleSite:
    """The people of the local stack."""
    return make_console_site(aws_endpoint, URL)


@pytest.fixture
def world(
    aws_client: Callable[[str], Any], site: ConsoleSite, unique_name: Callable[[str], str]
) -> ConsoleWorld:
    """The console with its tables on MiniStack."""
    client = aws_client("dynamodb")
    settings = msgspec.structs.replace(
        SETTINGS,
        console_sessions_table=unique_name("console_sessions"),
        audit_events_table=make_table(client, "audit_events", unique_name),
        cases_table=unique_name("cases"),
        case_links_table=unique_name("case_links"),
        transaction_history_table=unique_name("transaction_history"),
        flagged_transactions_table=unique_name("flagged_transactions"),
        case_decisions_table=unique_name("case_decisions"),
        pending_labels_table=unique_name("pending_labels"),
        labels_table=unique_name("labels"),
        entity_risk_table=unique_name("entity_risk"),
        saved_filters_table=unique_name("saved_filters"),
        ruleset_changes_table=unique_name("ruleset_changes"),
        rollout_counts_table=unique_name("rollout_counts"),
        oidc_issuer=site.issuer,
        oidc_discovery_url=site.discovery_url,
        oidc_client_id=site.client_id,
    )
    events = AuditStore(client, settings.audit_events_table)
    console = ConsoleWorld(client, settings, Urllib3Web(), events)
    console.now = datetime.now(UTC)
    return console


def at_provider(address: str, form: dict[str, str] | None = None) -> tuple[str, str]:
    """Do as a browser does at Cognito's pages; where it is sent, and what it shows."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
    response = connection.getresponse()
    return response.headers.get("Location", ""), response.read().decode()


def sign_in(world: ConsoleWorld, name: str, password: str) -> str:
    """Fill in Cognito's form; the address with which it sends the browser back, empty if it does not."""
    address = world.get("/sign-in/begin?next=/queue").headers["location"]
    _, page = at_provider(address)
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    parts = urlsplit(address)
    back, _ = at_provider(
        f"{parts.scheme}://{parts.netloc}/login", form | {"username": name, "password": password}
    )
    return back


@pytest.mark.parametrize("name", Group)
def test_each_person_signs_in_and_has_the_rights_of_the_group(
    world: ConsoleWorld, site: ConsoleSite, name: str
) -> None:
    back = urlsplit(sign_in(world, name, site.passwords[name]))

    answer = world.get(f"{back.path}?{back.query}")

    assert f"{back.scheme}://{back.netloc}" == URL
    assert (answer.status, answer.headers["location"]) == (303, "/queue")
    assert world.get("/queue").status == (403 if name == "admin" else 200)
    assert world.get("/audit").status == (200 if name == "auditor" else 403)
    assert AuditTable(world.dynamodb, world.settings.audit_events_table).verify().problems == ()


def test_a_wrong_password_leads_nowhere(world: ConsoleWorld) -> None:
    assert sign_in(world, "analyst", "wrong") == ""


def test_who_signs_out_is_sent_to_the_providers_page_which_sends_back_to_the_console(
    world: ConsoleWorld, site: ConsoleSite
) -> None:
    back = urlsplit(sign_in(world, "analyst", site.passwords["analyst"]))
    world.get(f"{back.path}?{back.query}")

    answer = world.post("/sign-out", {})

    (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.body)
    assert at_provider(unescape(address))[0] == f"{URL}/sign-in"
    assert world.get("/queue").status == 303
