"""Whoever approves a change sees all that it changes: of the ruleset for all users, of the candidate, and of for whom that decides."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
import yaml

from console.difference_views import Comparison, compared
from contract.authoring import Answer
from engine.rollout.entries import changed_entries
from lab.models import kept_model
from rules_validator.author_desk import answer
from tests.support.console_rulesets import CHAMPION, DRAW_KEY, RULESET, RULESET_WITH_CANDIDATE, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.authoring import RulesetOutline

OWN_LISTS: Final = (
    "  lists: {denied_merchants: {field: merchant_id, description: Mules., entries: "
    '[{value: shop-7, until: "2026-02-01", note: seen}, {value: shop-8}]}}\n'
)
GUARDED: Final = (
    RULESET_WITH_CANDIDATE.replace("lists:\n", "exchange_rates: {EUR: 1.25}\nlists:\n", 1)
    + OWN_LISTS
    + "  description: A try.\n"
    + "  guardrails: {alert_rate: [0.6, 4], latency_us: 300}\n"
    + "guardrails: {alert_rate: [0.5, 2], block_rate: [0.4, 3], errors: 0.2, latency_us: 500}\n"
)
"""A document in which every field of the language that a candidate or a champion may have is written."""


def _leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, dict | list) and node:
        for key in node if isinstance(node, dict) else range(len(node)):
            yield from _leaves(node[key], (*path, key))
    else:
        yield path


def _others(value: Any) -> Iterator[Any]:
    """Values that may take a leaf's place."""
    if isinstance(value, str):
        yield from (
            "card_id",
            "device_id",
            "1 > 2",
            "shadow",
            "EUR",
            "2026-03-01",
            "2b",
            "Another text.",
            "f" * 32,
        )
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value + 0.000_01, value / 2)
    else:
        yield [{"value": "new-1"}]


def _outline(document: Any) -> RulesetOutline | None:
    text = json.dumps(document)
    return msgspec.convert(answer({"ask": "read", "document": text}, kept_model), Answer).outline


def _name(document: Any, path: tuple[Any, ...]) -> str:
    """What a page must say of a leaf."""
    within = path[1:] if path[0] == "candidate" else path
    side = document["candidate"] if path[0] == "candidate" else document
    if within[0] == "rules":
        return str(side["rules"][within[1]]["id"])
    if within[0] == "lists":
        return str(within[1])
    return (
        "candidate"
        if path == ("candidate", "version")
        else str(next(p for p in within[::-1] if isinstance(p, str)))
    )


def _said(found: Comparison) -> str:
    return " ".join(str(msgspec.to_builtins(part)) for part in found.parts)


DOCUMENT: Final = yaml.safe_load(GUARDED)
LEAVES: Final = tuple(_leaves(DOCUMENT))


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_a_change_of_any_one_leaf_of_the_document_is_named(path: tuple[Any, ...]) -> None:
    before = outline_of(json.dumps(DOCUMENT))
    *above, last = path
    changed = deepcopy(DOCUMENT)
    node = changed
    for step in above:
        node = node[step]

    seen = 0
    for other in _others(node[last]):
        value, node[last] = node[last], other
        after = _outline(changed)
        if after is not None and value != other:
            seen += 1
            assert _name(DOCUMENT, path) in _said(compared(before, after))
        node[last] = value
        if seen == 2:
            break

    # A model has its own currency, there is one model, and its points begin at the probability 0.
    assert seen or last in {"base_currency", "sha256"} or path[-3:] == ("points", 0, 0), path


def test_every_field_of_a_candidate_is_walked() -> None:
    names = {path[1] for path in LEAVES if path[0] == "candidate"}

    assert names == {
        "version",
        "share",
        "draw_key",
        "thresholds",
        "rules",
        "model",
        "lists",
        "description",
        "guardrails",
    }


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (RULESET, RULESET.replace("USD", "EUR"), "('base_currency', 'USD', 'EUR')"),
        (RULESET_WITH_CANDIDATE, CHAMPION, "('candidate', '2', '')"),
        (CHAMPION, RULESET_WITH_CANDIDATE, "('candidate', '', '2')"),
        (RULESET, RULESET + "guardrails: {alert_rate: [0, 1000]}\n", "('guardrails.alert_rate', '0.5 to 2.0', '0.0 to 1000.0')"),
        (RULESET, RULESET.replace("  denied_cards: {field: card_id, entries: []}\n", ""), "('list taken out', 'denied_cards', '', '', '')"),
        (RULESET, RULESET.replace("denied_cards: {", "denied_cards: {description: Stolen., "), "('list described', 'denied_cards', '', '', 'Stolen.')"),
        (RULESET, RULESET.replace("card_id", "device_id"), "('list of another field', 'denied_cards', '', '', 'card_id before, device_id after')"),
    ],
)  # fmt: skip
def test_what_comes_and_what_goes_is_named(before: str, after: str, said: str) -> None:
    found = compared(outline_of(before), outline_of(after))

    assert said in _said(found)


def test_a_candidate_is_compared_with_the_one_before_and_with_the_ruleset_for_all_users() -> None:
    after = RULESET_WITH_CANDIDATE.replace('  version: "2"', '  version: "3"').replace(
        "points: 30", "points: 35"
    )

    found = compared(outline_of(RULESET_WITH_CANDIDATE), outline_of(after))

    assert [part.title for part in found.parts] == [
        "For whom the candidate decides, and its guardrails",
        "Candidate 3, compared with candidate 2 before",
        "Candidate 3, compared with the ruleset for all users",
    ]
    assert [part.rules[0].id for part in found.parts[1:]] == ["large", "large"]


def test_a_document_of_many_rules_is_shown_to_its_last() -> None:
    noise = "".join(
        f'  - {{id: noise_{n}, when: amount_base > {n}.0, points: 1, reason: "x"}}\n' for n in range(240)
    )
    last = '  - {id: the_last, when: amount_base > 777.0, points: -100, reason: "x"}\n'

    found = compared(outline_of(RULESET), outline_of(RULESET + noise + last))

    assert found.parts[0].rules[-1].id == "the_last"
    assert any("points: -100" in line.text for line in found.parts[0].rules[-1].lines)


def test_spaces_within_a_text_of_a_condition_are_a_difference() -> None:
    one, other = (
        RULESET.replace("implied_speed_kmh > 900.0", f"merchant_category == 'A{spaces}B'")
        for spaces in (" ", "  ")
    )

    (part,) = compared(outline_of(one), outline_of(other)).parts

    assert [rule.id for rule in part.rules] == ["impossible_travel"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("amount_base > 1.0\n|| is_weekend", "amount_base > 1.0 || is_weekend"),
        ("amount_base > 1.0\n&& is_weekend", "amount_base > 1.0 &&\nis_weekend"),
        ("amount_base > 1.0 && is_weekend", "amount_base > 1.0 &&\nis_weekend"),
        ("channel == 'a b'", "channel == 'a  b'"),
        ("is_weekend", "is_weekend\n"),
    ],
)
def test_line_ends_and_spaces_of_a_condition_are_shown_beside_another_change(one: str, other: str) -> None:
    before = outline_of(RULESET)
    first, *rest = before.champion.rules
    changed = [
        msgspec.structs.replace(
            before,
            champion=msgspec.structs.replace(before.champion, rules=(rule, *rest)),
            content_sha256=when,
        )
        for when, points in ((one, 60), (other, 65))
        for rule in [msgspec.structs.replace(first, when=when, points=points)]
    ]

    (part,) = compared(*changed).parts

    lines = {(line.kind, line.text) for line in part.rules[0].lines}
    assert {("removed", "points: 60"), ("added", "points: 65")} < lines
    for kind in ("removed", "added"):
        assert any(which == kind and text.startswith("when") for which, text in lines)


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_bands_that_a_candidate_brings_and_takes_away_are_shown_before_and_after(is_withdrawn: bool) -> None:
    wide = RULESET_WITH_CANDIDATE + "  guardrails: {alert_rate: [0, 1000], errors: 100}\n"
    documents = (wide, CHAMPION) if is_withdrawn else (CHAMPION, wide)

    found = compared(*map(outline_of, documents))

    (place,) = (part for part in found.parts if part.title.startswith("For whom"))
    shown = {path: (before, after) for path, before, after in place.settings}
    normal = {"guardrails.alert_rate": "0.5 to 2.0", "guardrails.errors": "0.1%"}
    wider = {"guardrails.alert_rate": "0.0 to 1000.0", "guardrails.errors": "100.0%"}
    for name in normal:
        assert shown[name] == ((wider[name], normal[name]) if is_withdrawn else (normal[name], wider[name]))


def test_entries_of_a_list_that_allows_or_denies_no_more_by_its_rules_are_shown() -> None:
    before = RULESET.replace("amount_base > 5000.0 && on_denied_merchants", "on_denied_merchants")
    allowing = before.replace("on_denied_merchants", "is_weekend && !on_denied_merchants")
    shadow = before.replace("    points: 20\n", "    points: 20\n    mode: shadow\n")

    shown = [
        [
            entry[:3]
            for part in compared(outline_of(before), outline_of(after)).parts
            for entry in part.entries
        ]
        for after in (allowing, shadow, before.replace("points: 20", "points: 30"))
    ]

    no_more = ("denied no more by the rules", "denied_merchants", "shop-9")
    assert shown == [[("allowed by the rules", "denied_merchants", "shop-9"), no_more], [no_more], []]


SECRET = "entries: [{value: tok_secret_1234, note: stolen}]"


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        (
            RULESET.replace("entries: []", SECRET),
            RULESET.replace("  denied_cards: {field: card_id, entries: []}\n", ""),
            [("list taken out", "denied_cards", ""), ("taken off", "denied_cards", "tok_secret_1234")],
        ),
        (
            RULESET.replace("entries: []", SECRET),
            RULESET.replace("entries: []", SECRET).replace("card_id", "device_id"),
            [
                ("list of another field", "denied_cards", ""),
                ("added", "denied_cards", "tok_secret_1234"),
                ("taken off", "denied_cards", "tok_secret_1234"),
            ],
        ),
    ],
    ids=["a list taken out", "a list of another field"],
)
def test_whoever_approves_sees_each_entry_that_a_change_of_its_whole_list_concerns(
    before: str, after: str, rows: list[tuple[str, str, str]]
) -> None:
    (part,) = compared(outline_of(before), outline_of(after), is_revealed=True).parts

    assert [entry[:3] for entry in part.entries] == rows
    assert {entry.value for entry in changed_entries(before, after)} == {"tok_secret_1234"}


def test_comments_are_no_difference() -> None:
    after = RULESET.replace("# Of the bank.", "# Of another.")

    assert compared(outline_of(RULESET), outline_of(after)) == Comparison(
        "Nothing differs but comments and how the text is written.", ()
    )


def test_what_cannot_be_shown_is_never_called_the_same() -> None:
    before = outline_of(RULESET)
    after = msgspec.structs.replace(before, content_sha256="0" * 64)

    assert "this page cannot show what: reject the change" in compared(before, after).summary


def test_another_order_of_rules_and_of_entries_is_shown_without_values() -> None:
    first, second = RULESET.split("  - id: large")
    head, travel = first.split("rules:\n")
    entries = "entries: [{value: tok_1111}, {value: tok_2222}]"
    one = RULESET.replace("entries: []", entries)
    swapped = f"{head}rules:\n  - id: large{second}{travel}".replace(
        "entries: []", "entries: [{value: tok_2222}, {value: tok_1111}]"
    )

    (part,) = compared(outline_of(one), outline_of(swapped)).parts

    assert part.settings == (
        ("order of the rules", "impossible_travel, large", "large, impossible_travel"),
        ("order of denied_cards", "", "another"),
    )


def test_entries_settings_and_models_that_differ_are_shown_and_personal_values_masked() -> None:
    after = CHAMPION.replace("entries: []", "entries: [{value: tok_secret_1234, note: stolen}]").replace(
        '      - {value: shop-9, until: "2026-02-01", note: "a mule\'s"}', "      - {value: shop-10}"
    )

    (part,) = compared(outline_of(RULESET), outline_of(after)).parts

    assert part.summary == "3 entries of lists, 2 settings."
    assert part.entries == (
        ("added", "denied_cards", "…1234", "", "stolen"),
        ("added", "denied_merchants", "shop-10", "", ""),
        ("taken off", "denied_merchants", "shop-9", "2026-02-01", "a mule's"),
    )
    assert {path for path, _, _ in part.settings} == {"model.sha256", "model.points"}


def test_the_key_that_draws_users_is_in_nothing_that_a_page_gets_but_whether_it_is_another_one() -> None:
    before, after = (outline_of(each) for each in (CHAMPION, RULESET_WITH_CANDIDATE))

    found = compared(before, after)

    assert DRAW_KEY not in str(msgspec.to_builtins(after)) + _said(found)
    assert {path: new for path, _, new in found.parts[0].settings}["draw_key"] == "key 3eb1bd43"
