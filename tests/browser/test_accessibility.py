"""axe finds nothing on any page, light or dark; a page fits a phone, and text of twice the size."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from common.trial_rows import TrialRows
from contract.flagged import FlaggedKey
from contract.tried import TryRequest
from tests.support.console_rows import store_case
from tests.support.console_rulesets import done_trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.case import Case
    from local.identity import ConsoleSite
    from local.stack import Stack

PHONE = {"width": 360, "height": 740}

PAGES = {
    "queue": "lead",
    "case": "lead",
    "links": "analyst",
    "entity": "analyst",
    "payment": "analyst",
    "search": "analyst",
    "watch": "author",
    "rules": "author",
    "rules/rule/denied_merchant": "author",
    "rules/new": "author",
    "trial": "author",
    "lists": "author",
    "changes": "lead",
    "model": "auditor",
    "audit": "auditor",
    "sessions": "admin",
    "nothing": "analyst",
}
"""Page to who looks at it."""


TRIAL = TryRequest(proposal="0" * 64, digest_before="0" * 12, is_candidate=False)
"""Whose result a page shows."""


@pytest.fixture(scope="module")
def case(stack: Stack) -> Case:
    """A case that shares its card with another one, and of which a trial names a payment."""
    dynamodb = stack.client("dynamodb")
    first = store_case(dynamodb, "axe-1", flagged=3)
    store_case(dynamodb, "axe-2")
    trial = done_trial(TRIAL, FlaggedKey(first.user_id, first.payments[0].event_key), datetime.now(UTC))
    TrialRows(dynamodb, "rollout_counts").replace(trial, None)
    return first


def open_page(page: Any, site: ConsoleSite, case: Case, name: str) -> None:
    paths = {
        "case": f"/cases/{case.case_id}",
        "links": f"/cases/{case.case_id}/links",
        "entity": f"/cases/{case.case_id}/links/0",
        "payment": f"/cases/{case.case_id}",
        "trial": f"/rules/trials/{TRIAL.trial_id}",
    }
    page.goto(site.url + paths.get(name, f"/{name}"))
    if name == "payment":
        page.click("main [data-row] >> nth=0")
    if name == "case" and page.query_selector("main button:has-text('Take this case')"):
        page.click("main button:has-text('Take this case')")
        page.wait_for_selector("text=Probably fraud")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    axe: str, site: ConsoleSite, case: Case, signed_in: Callable[..., Any], name: str, scheme: str
) -> None:
    page = signed_in(PAGES[name], color_scheme=scheme)
    open_page(page, site, case, name)

    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def test_axe_finds_nothing_where_people_sign_in(axe: str, site: ConsoleSite, chromium: Any) -> None:
    page = chromium.new_page()
    page.goto(f"{site.url}/sign-in")

    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]

    assert [each["id"] for each in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_twice_the_text(
    site: ConsoleSite, case: Case, signed_in: Callable[..., Any], name: str
) -> None:
    page = signed_in(PAGES[name], viewport=PHONE)
    open_page(page, site, case, name)

    plain = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": 720, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    large = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert max(plain, large) <= 0
