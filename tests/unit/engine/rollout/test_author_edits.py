"""An author's edit of a document changes what is to change, and keeps everything else in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.authoring import Entry
from contract.ruleset_change import ListEntry
from engine.errors import InvalidRulesetError, RulesetEditError
from engine.rollout.author_edits import with_rule, with_version, without_entries
from engine.rollout.edits import with_entries
from engine.rollout.outline import outline
from engine.rollout.start import with_candidate
from engine.rules.check import check_ruleset
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


def added(text: str, name: str, *values: str) -> str:
    return with_entries(text, [ListEntry(list_name=name, value=value) for value in values])


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

    longer = with_rule(added(DOCUMENT, "devices", "d-1"), "", new)

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


def entries(text: str, name: str) -> tuple[Entry, ...]:
    (found,) = (each.entries for each in outline_of(text).champion.lists if each.name == name)
    return found


def test_entries_are_shown_as_the_document_has_them() -> None:
    assert entries(DOCUMENT, "payees") == (Entry("p-1", note="a mule"), Entry("p-2", "2026-12-31"))


def test_entries_are_taken_off_and_put_back() -> None:
    text = added(DOCUMENT, "devices", "d-1", "d-2", "d-3")

    for name, values in (("devices", ("d-1", "d-3", "d-2")), ("payees", ("p-2", "p-1"))):
        for value in values:
            text = without_entries(text, name, (value,))
            assert value not in {entry.value for entry in entries(text, name)}
    text = added(text, "payees", "p-9")

    assert (entries(text, "devices"), entries(text, "payees")) == ((), (Entry("p-9"),))
    assert "# seen in attacks" in text


def test_an_entry_is_taken_off_the_candidates_list_too() -> None:
    other = DOCUMENT.replace('"1"', '"2"').replace("p-2", "p-3")
    both = with_candidate(DOCUMENT, other, 5)

    found = outline_of(without_entries(both, "payees", ("p-1",)))

    assert found.candidate is not None
    sides = [
        [entry.value for each in side.lists if each.name == "payees" for entry in each.entries]
        for side in (found.champion, found.candidate)
    ]
    assert sides == [["p-2"], ["p-3"]]


@pytest.mark.parametrize("name", ["absent", "devices"])
def test_a_list_or_a_value_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(RulesetEditError):
        without_entries(DOCUMENT, name, ("d-1",))
