"""The check of a stored document: its bytes must be text."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary, warnings
from tests.support.rule_samples import HEAD, candidate_of, document, ruleset


def test_bytes_that_are_not_text_are_refused_at_their_line() -> None:
    with pytest.raises(InvalidRulesetError) as caught:
        check_ruleset(b"a: 1\nb: \xff", "r.yaml")

    assert str(caught.value) == "r.yaml:2:4: not UTF-8 (invalid start byte)"


def test_a_byte_order_mark_is_accepted() -> None:
    assert check_ruleset(b"\xef\xbb\xbf" + document().encode(), "r.yaml").version == "1"


def test_summary_counts_rules_lists_and_currencies() -> None:
    head = HEAD + "lists: {denied: {field: country, entries: []}}\n"
    read = ruleset({"id": "a"}, {"id": "b"}, {"id": "c", "mode": "shadow"}, head=head)

    assert summary(read, "r.yaml") == (
        f"r.yaml: version 1 ({read.digest}), 3 rules (2 live, 1 shadow), 1 lists, 2 currencies to USD, "
        "review from 50, block from 80"
    )


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("channel == 'pos'", ["pos"]),
        ('channel in ["online", "ecommerce", "web"]', ["ecommerce", "web"]),
        ("is_weekend && !(channel in ['card_present'])", ["card_present"]),
        ('channel != "Online"', ["Online"]),
        ("channel == 'online' || channel in ['in_person', 'atm']", []),
        ("channel_as_sent == 'pos'", []),
        ("merchant_category == 'pos'", []),
    ],
)
def test_a_word_that_no_channel_is_gives_a_warning_that_names_its_rule(when: str, words: list[str]) -> None:
    found = warnings(ruleset({"id": "a", "when": when}), "r.yaml")

    assert [line.partition("never ")[2].partition("'")[2].partition("'")[0] for line in found] == words
    assert all(line.startswith("r.yaml: rule 'a': channel is never ") for line in found)


def test_the_default_rules_give_no_warning() -> None:
    assert warnings(check_ruleset(Path("rules/default.yaml").read_bytes(), "default"), "default") == []


def test_the_summary_names_the_candidate_and_suspended_rules() -> None:
    read = candidate_of({}, {"id": "b"}, share=2.5)
    suspended = ruleset({"mode": "suspended"}, {"id": "b", "mode": "shadow"})

    assert summary(read, "r.yaml").endswith(
        "block from 80; candidate 2 for 2.5% of the users, 2 rules, review from 40, block from 90"
    )
    assert "2 rules (0 live, 1 shadow, 1 suspended), " in summary(suspended, "r.yaml")


def test_words_that_no_channel_is_are_named_in_the_candidate_too() -> None:
    (warning,) = warnings(candidate_of({"when": 'channel == "pos"'}, share=0), "r.yaml")

    assert "channel is never 'pos'" in warning
