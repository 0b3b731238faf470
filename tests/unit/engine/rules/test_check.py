"""The check of a stored document: its bytes must be text."""

from __future__ import annotations

import pytest

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset, summary
from tests.support.rule_samples import HEAD, document, ruleset


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
