"""An analyst's work in the browser: take a case, judge it by keyboard, undo it, with and without JavaScript."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from common.cases import read_case
from contract.case import CaseStatus
from local.resources import METRICS_NAMESPACE
from tests.support.console_rows import store_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.identity import ConsoleSite
    from local.stack import Stack


def heading(page: Any) -> str:
    text: str = page.inner_text("h1")
    return text


def test_a_case_is_taken_judged_and_undone_by_keyboard(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    dynamodb = stack.client("dynamodb")
    case = store_case(dynamodb, "keyboard-1", amount=900, priority=1)
    page = signed_in("analyst")

    page.keyboard.press("n")
    page.wait_for_url(f"{site.url}/cases/{case.case_id}")
    assert "1,800.00 USD at risk" in heading(page)
    page.keyboard.press("1")
    page.wait_for_selector("text=The case is closed: fraud.")
    page.keyboard.press("u")
    page.wait_for_selector("text=The verdict is withdrawn")

    stored = read_case(dynamodb, "cases", case.key)
    assert stored is not None
    assert stored.status is CaseStatus.CLAIMED
    page.keyboard.press("c")
    page.wait_for_url(f"{site.url}/cases/{case.case_id}")


def test_keys_do_nothing_in_a_text_field_and_with_a_modifier(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "keyboard-2")
    page = signed_in("analyst")
    page.goto(f"{site.url}/cases/{case.case_id}")
    page.click("main button:has-text('Take this case')")
    page.wait_for_selector("#note")

    page.focus("#note")
    page.keyboard.type("1234 nu?")
    page.focus("h1 >> xpath=..")
    page.click("h1")
    page.keyboard.press("Control+1")

    assert page.input_value("#note") == "1234 nu?"
    assert page.url == f"{site.url}/cases/{case.case_id}"


def test_one_key_judges_one_case_however_often_it_is_pressed(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    dynamodb = stack.client("dynamodb")
    cases = [store_case(dynamodb, f"keyboard-3-{number}", flagged=1, priority=1) for number in range(2)]
    page = signed_in("lead")
    for case in cases:
        page.goto(f"{site.url}/cases/{case.case_id}")
        page.click("main button:has-text('Take this case')")
    page.wait_for_selector("text=Probably fraud")

    press = "document.dispatchEvent(new KeyboardEvent('keydown', {key: '4', bubbles: true}));"
    page.evaluate(press * 3)
    page.wait_for_selector("text=The case is closed: legitimate.")

    stored = [read_case(dynamodb, "cases", case.key) for case in cases]
    assert [case.status for case in stored if case is not None] == [CaseStatus.CLAIMED, CaseStatus.CLOSED]


def test_rows_are_reached_by_j_and_k_and_the_keys_are_shown(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    for number in range(2):
        store_case(stack.client("dynamodb"), f"keyboard-4-{number}", priority=1)
    page = signed_in("auditor")
    page.goto(f"{site.url}/queue?view=all&severity=any")
    rows = page.eval_on_selector_all("[data-row]", "all => all.map(each => each.href)")

    def focused() -> str:
        href: str = page.evaluate("document.activeElement.href")
        return href

    page.keyboard.press("j")
    first = focused()
    page.keyboard.press("j")
    second = focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("?")

    assert [first, second] == rows[:2]
    assert page.get_attribute("#keys", "open") is not None
    page.keyboard.press("?")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*")


def test_much_money_is_asked_for_once_more(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "much-1", flagged=1, amount=25_000)
    page = signed_in("analyst")
    page.goto(f"{site.url}/cases/{case.case_id}")
    page.keyboard.press("c")
    page.wait_for_selector("text=Probably fraud")

    page.keyboard.press("4")
    page.wait_for_selector("text=This verdict moves much money")
    page.keyboard.press("4")
    page.keyboard.press("y")

    page.wait_for_selector("text=The case is closed: legitimate.")


def test_everything_works_without_javascript(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "plain-1", flagged=2)
    page = signed_in("analyst", java_script_enabled=False)
    page.goto(f"{site.url}/cases/{case.case_id}")

    page.click("main button:has-text('Take this case')")
    page.uncheck("[name=chosen] >> nth=1")
    page.select_option("#fraud_type", "mule")
    page.click("button[value=fraud]")

    assert "Fraud: 1 payment, 1,250.00 USD. The case is still open." in page.inner_text("main")
    page.click("text=Undo")
    assert "withdrawn" in page.inner_text("main")


def test_a_lead_judges_cases_together(stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]) -> None:
    cases = [
        store_case(stack.client("dynamodb"), f"bulk-{number}", flagged=1, priority=1) for number in range(2)
    ]
    page = signed_in("lead")
    page.goto(f"{site.url}/queue?view=open&severity=any")

    for case in cases:
        page.check(f"[name=chosen][value='{case.case_id}']")
    page.click("text=Judge the chosen cases together")
    page.wait_for_selector("text=2 payments of 2 cases, 2,500.00 USD")
    page.click("button[value=legitimate]")

    page.wait_for_selector("text=Legitimate: 2 payments of 2 cases")
    assert page.inner_text("main").count("closed: legitimate") == 2


def test_a_search_leads_to_the_case_and_shows_nothing_of_it_in_the_address(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "searched-1")
    page = signed_in("analyst")
    page.goto(f"{site.url}/search")

    page.select_option("#by", "user")
    page.fill("#query", "searched-1")
    page.click("main button")
    page.wait_for_selector("text=User id: 10 payments, 1 case")
    address = page.url
    page.click("main table a >> nth=0")

    page.wait_for_url(f"{site.url}/cases/{case.case_id}")
    assert address == f"{site.url}/search"


def test_a_filter_is_kept_used_renamed_and_deleted(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    store_case(stack.client("dynamodb"), "kept-1", priority=1)
    page = signed_in("analyst")
    page.goto(f"{site.url}/queue?view=open&severity=high&least=1000")

    page.fill("#filter", "High and open")
    page.click("button:has-text('Keep it')")
    page.goto(f"{site.url}/queue?view=all&severity=any&least=any")
    page.click("nav a:has-text('High and open')")
    page.wait_for_url("**/queue?view=open&severity=high&least=1000")
    page.click("summary:has-text('Your filters')")
    page.fill("#name-1", "Mine")
    page.click("button:has-text('Rename')")
    page.click("summary:has-text('Your filters')")
    page.wait_for_selector("nav a:has-text('Mine')")
    page.click("button:has-text('Delete')")

    page.wait_for_selector("summary:has-text('Your filters')", state="detached")


def test_a_payments_decision_made_again_comes_beside_it_by_itself(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "again-1", flagged=1)
    page = signed_in("analyst")
    page.goto(f"{site.url}/cases/{case.case_id}")
    page.click("main table [data-row] >> nth=0")

    # The rows of these tests name a ruleset that was never active.
    page.wait_for_selector("#replay :text('It cannot be made again. Ruleset')")
    assert page.url.endswith("/payments/" + page.url.rpartition("/")[2])
    assert page.get_attribute("#replay", "aria-busy") is None


def test_a_device_leads_to_what_it_did_and_to_its_payments(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    case = store_case(stack.client("dynamodb"), "entity-1", flagged=2)
    page = signed_in("analyst")
    page.goto(f"{site.url}/cases/{case.case_id}/links/1")

    assert "What it did across users" in page.inner_text("main")
    assert "entity-1" not in page.content()
    page.click("main table a[data-row] >> nth=0")
    page.wait_for_url(f"{site.url}/cases/{case.case_id}/payments/*")


def test_the_watch_page_has_the_flow_from_the_stacks_own_metrics(
    stack: Stack, site: ConsoleSite, signed_in: Callable[..., Any]
) -> None:
    now = datetime.now(UTC) - timedelta(minutes=7)
    labelled = {"MetricName": "LabelsStored", "Dimensions": [{"Name": "service", "Value": "label"}]}
    stack.client("cloudwatch").put_metric_data(
        Namespace=METRICS_NAMESPACE, MetricData=[labelled | {"Timestamp": now, "Value": 1500.0}]
    )
    page = signed_in("lead")
    page.goto(f"{site.url}/watch")

    row = page.inner_text("tr:has(th:has-text('Labels stored'))")

    assert int(row.split()[-1].replace(",", "")) >= 1500
