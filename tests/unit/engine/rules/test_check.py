"""The check of a stored document: its bytes must be text."""

from __future__ import annotations

import pytest

from engine.errors import InvalidRulesetError
from engine.rules.check import check_ruleset
from tests.support.rule_samples import document


def test_bytes_that_are_not_text_are_refused_at_their_line() -> None:
    with pytest.raises(InvalidRulesetError) as caught:
        check_ruleset(b"a: 1\nb: \xff", "r.yaml")

    assert str(caught.value) == "r.yaml:2:4: not UTF-8 (invalid start byte)"


def test_a_byte_order_mark_is_accepted() -> None:
    assert check_ruleset(b"\xef\xbb\xbf" + document().encode(), "r.yaml").version == "1"
