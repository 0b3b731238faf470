"""An author's edit of a document changes what is to change, and keeps everything else in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.authoring import Entry
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rules.author_edits import with_entries, with_rule, with_version
from engine.rules.check import check_ruleset
from engine.rules.outline import outline
from ops.manifests import ROOT

if TYPE_CHECKING:
    from contract.authoring import RuleOutline, RulesetOutline

DEFAULT = (ROOT / "rules" / "default.yaml").read_text(encoding="utf-8")

DOCUMENT = """\
# Of the bank.
version: "1"   # was 0
base_currency: USD
thresholds: {review: 50, block: 80}
lists:
  devices: {field: device_id, entries: []}   # seen in attacks
  payees:
    field: payee_id
    entries:
      - {value: p-1, note: "a mule"}   # of May
      - value: p-2
        until: 2026-12-31
rules:
  - id: large
    when: amount_base > 100.0
    points: 10
    reason: "Paid {amount_base:.2f}."

  # Second.
  - id: folded
    when: >-
      amount_base > 100.0 &&
        on_payees
    points: 20
    reason: "Paid."
# The end.
"""


def outline_of(text: str) -> RulesetOutline:
    return outline(check_ruleset(text.encode(), "document"), text)


def added(text: str, name: str, *entries: Entry) -> str:
    return with_entries(text, name, entries, ())


def test_the_version_changes_and_its_comment_stays() -> None:
    assert with_version(DOCUMENT, '2 "b"') == DOCUMENT.replace('"1"   #', '"2 \\"b\\""   #')


def test_a_rule_is_shown_without_its_indentation_and_put_back_unchanged() -> None:
    rules = outline_of(DOCUMENT).champion.rules

    assert rules[1].text == (
        'id: folded\nwhen: >-\n  amount_base > 100.0 &&\n    on_payees\npoints: 20\nreason: "Paid."'
    )
    for rule in rules:
        assert with_rule(DOCUMENT, rule.id, rule.text) == (DOCUMENT, rule.first_line)


@pytest.mark.parametrize("rule", outline_of(DEFAULT).champion.rules, ids=lambda rule: rule.id)
def test_every_rule_of_the_default_ruleset_is_put_back_unchanged(rule: RuleOutline) -> None:
    text, first_line = with_rule(DEFAULT, rule.id, rule.text)

    assert text == DEFAULT
    assert first_line == rule.first_line


def test_a_changed_rule_changes_its_lines_alone() -> None:
    changed = with_rule(DOCUMENT, "large", 'id: large\nwhen: amount_base > 5.0\npoints: 9\nreason: "X."')

    assert changed.text == DOCUMENT.replace("> 100.0\n    points: 10", "> 5.0\n    points: 9").replace(
        'points: 9\n    reason: "Paid {amount_base:.2f}."', 'points: 9\n    reason: "X."'
    )
    assert changed.first_line == 14


def test_a_new_rule_comes_last_and_a_rule_can_be_taken_out() -> None:
    new = 'id: new\nwhen: on_devices\npoints: 5\nreason: "Known."'

    longer = with_rule(added(DOCUMENT, "devices", Entry("d-1")), "", new)

    assert [rule.id for rule in outline_of(longer.text).champion.rules] == ["large", "folded", "new"]
    assert longer.text.endswith("# The end.\n")
    shorter = with_rule(longer.text, "folded", "").text
    assert [rule.id for rule in outline_of(shorter).champion.rules] == ["large", "new"]


def test_a_rule_that_is_no_yaml_is_put_in_so_that_the_checker_names_its_line() -> None:
    changed = with_rule(DOCUMENT, "large", "id: large\nwhen: [")

    with pytest.raises(InvalidRulesetError) as refusal:
        check_ruleset(changed.text.encode(), "document")

    assert refusal.value.problems[0].line >= changed.first_line


@pytest.mark.parametrize(
    ("rule_id", "text"),
    [
        ("absent", "id: x"),
        ("large", 'id: a\n- id: "b"'),
        ("large", "id: large\nnotes: |\n x\n- id: second"),
    ],
)
def test_what_would_change_more_than_one_rule_is_refused(rule_id: str, text: str) -> None:
    with pytest.raises((RulesetEditError, InvalidRulesetError)):
        check_ruleset(with_rule(DOCUMENT, rule_id, text).text.encode(), "document")


@pytest.mark.parametrize("text", ['{version: "1", rules: [{id: a}]}', "rules: []\n", "version: [\n", "- a\n"])
def test_a_document_without_a_list_of_rules_by_line_is_refused(text: str) -> None:
    with pytest.raises(RulesetEditError):
        with_rule(text, "", "id: x")


def test_an_entry_is_put_on_an_empty_list_and_on_one_by_line() -> None:
    entry = Entry('d: 1, "x"', "2026-12-31", "mule {a} - new")

    text = added(added(DOCUMENT, "devices", entry, Entry("d-2")), "payees", entry)

    lists = {each.name: each.entries for each in outline_of(text).champion.lists}
    assert lists["devices"] == (entry, Entry("d-2"))
    assert lists["payees"] == (Entry("p-1", note="a mule"), Entry("p-2", "2026-12-31"), entry)
    kept = [line for line in text.splitlines() if line in DOCUMENT.splitlines()]
    assert '      - {value: p-1, note: "a mule"}   # of May' in kept
    assert "# Second." in text
    assert "# seen in attacks" in text


def test_an_entry_whose_value_is_on_the_list_is_replaced() -> None:
    text = added(DOCUMENT, "payees", Entry("p-2", "2027-01-31", "again"), Entry("p-1"))

    (payees,) = (each for each in outline_of(text).champion.lists if each.name == "payees")
    assert payees.entries == (Entry("p-1"), Entry("p-2", "2027-01-31", "again"))


def test_entries_are_taken_off_and_put_back() -> None:
    text = added(DOCUMENT, "devices", Entry("d-1"), Entry("d-2"), Entry("d-3"))

    for name, values in (("devices", ("d-1", "d-3", "d-2")), ("payees", ("p-2", "p-1"))):
        for value in values:
            text = with_entries(text, name, (), (value,))
            assert value not in {
                entry.value
                for each in outline_of(text).champion.lists
                if each.name == name
                for entry in each.entries
            }
    text = added(text, "payees", Entry("p-9"))

    assert [each.entries for each in outline_of(text).champion.lists] == [(), (Entry("p-9"),)]


@pytest.mark.parametrize("name", ["absent", "devices"])
def test_a_list_or_a_value_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RulesetEditError):
        with_entries(DOCUMENT, name, (), ("d-1",))


def test_the_default_ruleset_takes_an_entry_on_each_list() -> None:
    values = {"ip_address": "198.51.100.7", "country": "FR", "channel": "online"}
    text = DEFAULT
    for each in outline_of(DEFAULT).champion.lists:
        text = added(text, each.name, Entry(values.get(each.field, "x-1"), "2026-12-31", "why"))

    before = {each.name: each.entries for each in outline_of(DEFAULT).champion.lists}
    after = {each.name: each.entries for each in outline_of(text).champion.lists}

    assert {name: len(entries) for name, entries in after.items()} == {
        name: len(entries) + 1 for name, entries in before.items()
    }
