"""What an author wants becomes one document, in which nothing else changes and comments stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from contract.ruleset_change import ChangeKind, ListEntry
from contract.ruleset_draft import Draft
from engine.errors import RulesetEditError
from engine.rollout.edits import with_entries, with_share, without_candidate
from engine.rollout.start import candidate_alone, with_candidate
from engine.rollout.whole import keep_draw, keep_to, whole_document
from engine.rules.guardrails import Band
from engine.rules.ruleset import parse_ruleset
from tests.support.default_rules import DEFAULT

DIGEST = "0123456789ab"
ACTIVE = """\
# Our rules. Ask Ann.
version: "1"
base_currency: USD
exchange_rates: {EUR: 1.25}   # of 1 December
thresholds: {review: 50, block: 80}
guardrails:
  alert_rate: [0.5, 2]
lists:
  denied:      # by the police
    field: device_id
    entries:
      - {value: d-1, until: 2027-01-31}
      - value: d-2   # the last
  allowed: {field: merchant_id, entries: []}
rules:
  - id: r
    when: on_denied
    points: 10
    reason: "r"   # short
"""
OTHER = """\
# A try.
version: "2"
base_currency: USD
exchange_rates: {EUR: 1.25}
thresholds: {review: 40, block: 90}
guardrails: {alert_rate: [0.9, 3]}
rules:
  - id: r   # as before
    when: >-
      on_denied
      && amount_base > 10.0
    points: 20
    reason: "r"
"""


def _draft(kind: ChangeKind, **values: Any) -> Draft:
    return Draft(kind=kind, digest_before=DIGEST, **values)


def test_a_ruleset_for_all_users_is_the_document_as_it_was_written() -> None:
    assert whole_document(ACTIVE, _draft(ChangeKind.TO_ALL, document="\ufeff" + OTHER)) == OTHER
    assert whole_document(None, _draft(ChangeKind.TO_ALL, document=OTHER)) == OTHER


def test_a_candidate_is_written_after_the_champion_and_both_keep_their_comments() -> None:
    text = whole_document(ACTIVE, _draft(ChangeKind.CANDIDATE, document=OTHER, share=10))

    ruleset = parse_ruleset(text)
    assert ruleset.candidate is not None
    assert (ruleset.version, ruleset.candidate.ruleset.version) == ("1", "2")
    assert ruleset.candidate.draw.share_percent == 10
    assert ruleset.guardrails.alert_rate == Band(0.9, 3.0)
    for comment in ("# Our rules. Ask Ann.", "# of 1 December", "# the last", "# A try.", "# as before"):
        assert comment in text
    assert text.startswith(ACTIVE)


KEY, OTHER_KEY = "0123456789abcdef" * 2, "1" * 32
CANDIDATE = _draft(ChangeKind.CANDIDATE, document=OTHER, share=10)


def _key(document: str) -> object:
    return yaml.safe_load(document)["candidate"].get("draw_key")


@pytest.mark.parametrize(
    "champion", [ACTIVE, json.dumps(yaml.safe_load(ACTIVE), default=str)], ids=["yaml", "json"]
)
@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_a_new_candidate_has_a_random_key_that_draws_its_users(champion: str, key: str) -> None:
    text = whole_document(champion, CANDIDATE, key)

    candidate = parse_ruleset(text).candidate
    assert candidate is not None
    assert _key(text) == key
    assert not candidate.draw.can_be_chosen


def test_a_candidate_keeps_its_key_while_its_share_grows_and_is_written_anew() -> None:
    active = whole_document(ACTIVE, _draft(ChangeKind.SHADOW, document=OTHER), KEY)

    more = whole_document(active, _draft(ChangeKind.CANDIDATE, share=12.5), OTHER_KEY)
    again = whole_document(more, CANDIDATE, OTHER_KEY)
    next_one = whole_document(
        again, _draft(ChangeKind.SHADOW, document=OTHER.replace('version: "2"', 'version: "3"')), OTHER_KEY
    )

    assert [_key(each) for each in (active, more, again, next_one)] == [KEY, KEY, KEY, OTHER_KEY]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_candidate_without_a_key_gets_one_with_its_next_share(form: str) -> None:
    active = with_candidate(ACTIVE, OTHER, 0)
    active = active if form == "yaml" else json.dumps(yaml.safe_load(active), default=str)

    more = whole_document(active, _draft(ChangeKind.CANDIDATE, share=12.5), KEY)

    assert _key(more) == KEY
    keep_to(ChangeKind.CANDIDATE, active, more, ())


def test_a_candidate_for_all_users_leaves_its_key_behind() -> None:
    active = whole_document(ACTIVE, CANDIDATE, KEY)

    assert KEY not in whole_document(active, _draft(ChangeKind.TO_ALL))
    assert KEY not in candidate_alone(active, keeps_guardrails=True)


@pytest.mark.parametrize("active", [None, ACTIVE, with_candidate(ACTIVE, OTHER, 0)])
def test_a_candidate_that_would_decide_without_a_key_is_refused(active: str | None) -> None:
    with pytest.raises(RulesetEditError, match="needs a draw_key: 32 random hexadecimal digits"):
        keep_draw(active, with_candidate(ACTIVE, OTHER, 10))


def test_a_candidate_from_before_there_were_keys_may_stay_as_it_is() -> None:
    old = with_candidate(ACTIVE, OTHER, 10)

    keep_draw(old, old.replace('version: "1"', 'version: "7"'))

    with pytest.raises(RulesetEditError, match="draw_key"):
        keep_draw(old, old.replace("share: 10", "share: 20"))


@pytest.mark.parametrize(
    "change", [(KEY, OTHER_KEY), (f'  draw_key: "{KEY}"\n', "")], ids=["another", "none"]
)
def test_a_candidate_whose_users_would_change_sides_is_refused(change: tuple[str, str]) -> None:
    active = whole_document(ACTIVE, CANDIDATE, KEY)

    with pytest.raises(RulesetEditError, match="its users would change sides"):
        keep_to(ChangeKind.TO_ALL, active, active.replace(*change), ())


def test_a_candidate_in_shadow_decides_for_nobody() -> None:
    ruleset = parse_ruleset(whole_document(ACTIVE, _draft(ChangeKind.SHADOW, document=OTHER)))

    assert ruleset.candidate is not None
    assert ruleset.candidate.draw.share_percent == 0


def test_a_candidate_gets_another_share_and_keeps_its_ruleset() -> None:
    active = with_candidate(ACTIVE, OTHER, 10)

    more = whole_document(active, _draft(ChangeKind.CANDIDATE, share=12.5))
    shadow = whole_document(active, _draft(ChangeKind.SHADOW))

    assert more == active.replace("share: 10", "share: 12.5")
    assert shadow == active.replace("share: 10", "share: 0")


def test_a_candidate_becomes_the_champion_as_it_was_written_with_what_both_sides_share() -> None:
    active = with_candidate(ACTIVE, OTHER, 10)

    text = whole_document(active, _draft(ChangeKind.TO_ALL))

    ours = yaml.safe_load(ACTIVE)
    assert yaml.safe_load(text) == yaml.safe_load(OTHER) | {
        name: ours[name] for name in ("lists", "guardrails")
    }
    for comment in ("# as before", "# of 1 December", "# the last"):
        assert comment in text


@pytest.mark.parametrize("champion", [ACTIVE, ACTIVE.replace("guardrails:\n  alert_rate: [0.5, 2]\n", "")])
@pytest.mark.parametrize("guardrails", ["guardrails", "# guardrails"])
@pytest.mark.parametrize("kind", [ChangeKind.SHADOW, ChangeKind.CANDIDATE])
def test_a_withdrawn_candidate_leaves_the_document_as_it_was_before(
    champion: str, guardrails: str, kind: ChangeKind
) -> None:
    share = 10.0 if kind is ChangeKind.CANDIDATE else None
    document = OTHER.replace("guardrails", guardrails)
    active = whole_document(champion, _draft(kind, document=document, share=share))

    assert whole_document(active, _draft(ChangeKind.WITHDRAWN)) == champion


def test_a_candidate_with_the_guardrails_of_the_champion_has_none_of_its_own() -> None:
    same = OTHER.replace("guardrails: {alert_rate: [0.9, 3]}", "guardrails: {alert_rate: [0.5, 2]}")

    assert yaml.safe_load(with_candidate(ACTIVE, same, 10))["candidate"].get("guardrails") is None


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_an_author_goes_on_from_a_candidate_with_its_own_guardrails(form: str) -> None:
    active = with_candidate(ACTIVE, OTHER if form == "yaml" else json.dumps(yaml.safe_load(OTHER)), 10)

    alone = yaml.safe_load(candidate_alone(active, keeps_guardrails=True))

    assert alone["guardrails"] == {"alert_rate": [0.9, 3]}
    assert yaml.safe_load(candidate_alone(active))["guardrails"] == {"alert_rate": [0.5, 2]}


@pytest.mark.parametrize("form", ["yaml", "json", "flow"])
def test_any_form_of_yaml_makes_the_same_candidate(form: str) -> None:
    champion = ACTIVE if form == "yaml" else json.dumps(yaml.safe_load(ACTIVE), default=str)
    other = OTHER if form != "flow" else json.dumps(yaml.safe_load(OTHER))

    joined = with_candidate(champion, other, 2.5)

    expected = yaml.safe_load(OTHER)
    del expected["base_currency"], expected["exchange_rates"]
    assert yaml.safe_load(joined)["candidate"] == {"share": 2.5} | expected
    assert yaml.safe_load(candidate_alone(joined))["rules"] == expected["rules"]
    assert parse_ruleset(candidate_alone(joined)).version == "2"


def test_the_default_rules_come_back_whole_from_being_a_candidate() -> None:
    other = DEFAULT.replace('version: "', 'version: "other-')

    joined = with_candidate(DEFAULT, other, 10)

    assert joined.count("#") >= DEFAULT.count("#")
    assert yaml.safe_load(candidate_alone(joined)) == yaml.safe_load(other)
    assert yaml.safe_load(without_candidate(joined)) == yaml.safe_load(DEFAULT)


def test_entries_are_added_to_their_lists_and_nothing_else_changes() -> None:
    entries = (
        ListEntry(list_name="denied", value="d-3", until="2027-02-28", note='case 7: "known"'),
        ListEntry(list_name="allowed", value="m-1"),
        ListEntry(list_name="denied", value="d-4"),
    )

    text = whole_document(ACTIVE, _draft(ChangeKind.LISTS, list_entries=entries))

    assert text == ACTIVE.replace(
        "      - value: d-2   # the last\n",
        "      - value: d-2   # the last\n"
        '      - {"value":"d-3","until":"2027-02-28","note":"case 7: \\"known\\""}\n'
        '      - {"value":"d-4"}\n',
    ).replace("entries: []", 'entries: [{"value":"m-1"}]')
    denied, allowed = parse_ruleset(text).lists
    assert (list(denied.until_by_value), list(allowed.until_by_value)) == (
        ["d-1", "d-2", "d-3", "d-4"],
        ["m-1"],
    )


def test_an_entry_is_added_to_the_candidate_s_list_of_the_same_name_too() -> None:
    lists = "lists: {denied: {field: device_id, entries: [{value: d-9}]}}\n"
    active = with_candidate(ACTIVE, OTHER + lists, 10)

    text = with_entries(active, [ListEntry(list_name="denied", value="d-3")])

    ruleset = parse_ruleset(text)
    assert ruleset.candidate is not None
    assert [list(each.until_by_value) for each in ruleset.candidate.ruleset.lists] == [["d-9", "d-3"]]
    assert list(ruleset.lists[0].until_by_value) == ["d-1", "d-2", "d-3"]


def test_an_entry_at_the_end_of_a_document_without_a_line_end_gets_its_own_line() -> None:
    text = "rules: []\nlists:\n  denied:\n    field: device_id\n    entries:\n    - value: d-1"

    added = with_entries(text, [ListEntry(list_name="denied", value="d-2")])

    assert added == text + '\n    - {"value":"d-2"}\n'


@pytest.mark.parametrize(
    ("active", "draft", "problem"),
    [
        (None, _draft(ChangeKind.WITHDRAWN), "no ruleset is active yet"),
        (None, _draft(ChangeKind.TO_ALL), "no ruleset is active yet"),
        (ACTIVE, _draft(ChangeKind.WITHDRAWN), "the document has no candidate"),
        (ACTIVE, _draft(ChangeKind.TO_ALL), "the active ruleset has no candidate"),
        (ACTIVE, _draft(ChangeKind.SHADOW), "the candidate is no mapping"),
        (ACTIVE, _draft(ChangeKind.CANDIDATE, document=OTHER), "more than 0% of the users, and for at most 50%"),
        (ACTIVE, _draft(ChangeKind.CANDIDATE, document=OTHER, share=0), "more than 0% of the users"),
        (ACTIVE, _draft(ChangeKind.LISTS), "no entry is named"),
        (ACTIVE, _draft(ChangeKind.LISTS, list_entries=(ListEntry(list_name="x", value="v"),)), "no list 'x'"),
        (ACTIVE, _draft(ChangeKind.SUSPENDED), "nobody proposes that something is suspended"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_with_a_sentence(
    active: str | None, draft: Draft, problem: str
) -> None:
    with pytest.raises(RulesetEditError, match=problem):
        whole_document(active, draft)


@pytest.mark.parametrize("candidate", ["{version: 2}", "{share: [1]}", "text"])
def test_a_candidate_without_a_share_gets_none(candidate: str) -> None:
    with pytest.raises(RulesetEditError, match="candidate"):
        with_share(f"candidate: {candidate}\n", 10)


def test_a_list_without_entries_gets_none() -> None:
    with pytest.raises(RulesetEditError, match="list 'denied' has no entries"):
        with_entries("lists: {denied: {field: device_id}}", [ListEntry(list_name="denied", value="d-1")])


JOINED = with_candidate(ACTIVE, OTHER, 10, KEY)
ENTRY = ListEntry(list_name="denied", value="d-3")


@pytest.mark.parametrize(
    ("kind", "active", "document", "entries"),
    [
        (ChangeKind.TO_ALL, ACTIVE, OTHER, ()),
        (ChangeKind.CANDIDATE, ACTIVE, JOINED, ()),
        (ChangeKind.CANDIDATE, json.dumps(yaml.safe_load(ACTIVE), default=str), JOINED, ()),
        (ChangeKind.SHADOW, JOINED, with_share(JOINED, 0), ()),
        (ChangeKind.WITHDRAWN, JOINED, without_candidate(JOINED), ()),
        (ChangeKind.LISTS, ACTIVE, with_entries(ACTIVE, [ENTRY]), (ENTRY,)),
    ],
)
def test_a_document_that_changes_what_its_kind_says_is_kept(
    kind: ChangeKind, active: str, document: str, entries: tuple[ListEntry, ...]
) -> None:
    keep_to(kind, active, document, entries)


@pytest.mark.parametrize(
    ("kind", "active", "document", "entries"),
    [
        (ChangeKind.CANDIDATE, ACTIVE, JOINED.replace("review: 50", "review: 60"), ()),
        (ChangeKind.CANDIDATE, ACTIVE, with_share(JOINED, 0), ()),
        (ChangeKind.CANDIDATE, ACTIVE, JOINED.replace("  alert_rate: [0.5, 2]", "  alert_rate: [0, 1000]"), ()),
        (ChangeKind.CANDIDATE, ACTIVE, ACTIVE, ()),
        (ChangeKind.SHADOW, ACTIVE, JOINED, ()),
        (ChangeKind.WITHDRAWN, JOINED, OTHER, ()),
        (ChangeKind.LISTS, ACTIVE, with_entries(ACTIVE, [ENTRY]).replace("points: 10", "points: 0.1"), (ENTRY,)),
        (ChangeKind.LISTS, ACTIVE, with_entries(ACTIVE, [ENTRY, ListEntry(list_name="allowed", value="m")]), (ENTRY,)),
    ],
)  # fmt: skip
def test_a_document_that_changes_something_else_is_refused(
    kind: ChangeKind, active: str, document: str, entries: tuple[ListEntry, ...]
) -> None:
    with pytest.raises(RulesetEditError, match=f"something else than a change of the kind '{kind.value}'"):
        keep_to(kind, active, document, entries)


CHANGED = JOINED.replace("review: 40", "review: 41")


@pytest.mark.parametrize("kind", [ChangeKind.TO_ALL, ChangeKind.CANDIDATE])
def test_a_changed_candidate_needs_a_version_of_its_own(kind: ChangeKind) -> None:
    with pytest.raises(RulesetEditError, match="candidate 2 would say something else"):
        keep_to(kind, JOINED, CHANGED, ())

    keep_to(kind, JOINED, CHANGED.replace('"2"', '"3"'), ())


def test_a_candidate_keeps_its_version_with_another_share_and_other_lists() -> None:
    lists = "  lists: {denied: {field: device_id, entries: []}}\n"

    keep_to(ChangeKind.TO_ALL, JOINED, JOINED.replace("share: 10", "share: 12") + lists, ())
