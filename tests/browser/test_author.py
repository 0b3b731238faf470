"""A rule author's work in the browser: a rule with a mistake and without, its proposal, another person's approval, and the candidate that is seen then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.support.console_rows import USUAL, store_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.case import Case
    from local.identity import ConsoleSite
    from local.stack import Stack

DEPLOYED_MS: Final = 150_000
"""The deployer runs each minute, and the page asks again every ten seconds."""


TRIED_MS: Final = 60_000
"""The job's process starts, and reads what the tests have stored."""

FOUND: Final = "#trial :text('payments of the last 7 days, of')"


def choose(page: Any, name: str) -> None:
    page.click(f"main button:has-text('{name}')")


def propose_the_card(page: Any, site: ConsoleSite, case: Case) -> None:
    """Propose the card of a case for a list; the page is then that of the change."""
    page.goto(f"{site.url}/cases/{case.case_id}/links/0")
    page.click("main a:has-text('Put it on a list')")
    page.fill("#reason", "seen with a mule")
    choose(page, "Propose it")
    page.wait_for_url("**/changes/*")


def assert_all_payments_are_tried(page: Any) -> None:
    # Other tests store payments too.
    text = page.inner_text("#trial")
    found = re.search(r"([\d,]+) payments of the last 7 days, of (\d+) users?: all of the history", text)
    assert found is not None, text
    assert int(found[1].replace(",", "")) >= USUAL + 2


def assert_a_draft_is_tried(author: Any) -> None:
    # With another share it is another document: a change with the same one would have been tried already.
    author.fill("#share", "20")
    with author.expect_popup() as opened:
        choose(author, "Try it on payments")
    opened.value.wait_for_url("**/rules/trials/*")
    opened.value.wait_for_selector(FOUND, timeout=TRIED_MS)
    assert_all_payments_are_tried(opened.value)
    opened.value.close()
    author.fill("#share", "10")


def test_a_rule_is_corrected_proposed_approved_by_another_person_and_seen_as_candidate(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    store_case(stack.client("dynamodb"), "tried-1")
    author = signed_in("author")
    author.goto(f"{site.url}/rules")
    author.click("main a:text-is('denied_country')")
    author.click("main a:has-text('Change this rule')")
    author.fill("#text", author.input_value("#text").replace("points: 1000", "points: many"))
    choose(author, "Check")
    author.wait_for_selector("text=The checker refuses it")
    assert "Line 3: points is text" in author.inner_text(".problems")

    author.fill("#text", author.input_value("#text").replace("points: many", "points: 900"))
    author.check("#reach-candidate")
    author.fill("#share", "10")
    author.fill("#reason", "a test of a candidate")
    choose(author, "Check")
    author.wait_for_selector("text=The checker finds nothing wrong")
    assert "+ points: 900" in author.inner_text("main")
    assert_a_draft_is_tried(author)
    choose(author, "Propose")
    author.wait_for_url("**/changes/*")
    address = author.url
    assert "waits for another person" in author.inner_text("main")
    assert author.query_selector("main button:has-text('Approve')") is None

    lead = signed_in("lead")
    lead.goto(f"{site.url}/changes")
    lead.click("main [data-row]")
    assert lead.url == address
    choose(lead, "Try it on payments")
    lead.wait_for_url("**/changes/*#trial")
    lead.fill("#note", "looks right")
    # The part of the page asks again by itself, and what is written beside it stays.
    lead.wait_for_selector(FOUND, timeout=TRIED_MS)
    assert_all_payments_are_tried(lead)
    assert lead.input_value("#note") == "looks right"
    assert lead.query_selector("main button:has-text('Try it')") is None
    choose(lead, "Approve")
    lead.wait_for_selector("text=Approved by")
    author.goto(address)
    author.wait_for_selector("text=as candidate, deployed.", timeout=DEPLOYED_MS)

    author.goto(f"{site.url}/rules")
    assert "it decides for 10% of the users" in author.inner_text("main")
    assert "denied_country (changed)" in author.inner_text("main")


def test_a_trial_is_watched_without_javascript(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    page = signed_in("analyst", java_script_enabled=False)
    propose_the_card(page, site, store_case(stack.client("dynamodb"), "tried-2"))
    address = page.url

    choose(page, "Try it on payments")
    page.wait_for_url("**/changes/*#trial")
    page.goto(f"{address}/trial")  # where the link of a job that works leads
    page.wait_for_selector(FOUND, timeout=TRIED_MS)
    assert_all_payments_are_tried(page)
    page.goto(address)
    assert_all_payments_are_tried(page)


def test_the_card_of_a_case_is_proposed_for_a_list_without_javascript(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    page = signed_in("analyst", java_script_enabled=False)
    propose_the_card(page, site, store_case(stack.client("dynamodb"), "listed-1"))

    text = page.inner_text("main")
    assert "1 entry of lists" in text
    assert "seen with a mule" in text
