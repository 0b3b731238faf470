from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from score.errors import NoRulesetError, RulesetUnreachableError
from score.rules_source import MIN_POLL_SECONDS, AppConfigDocument, Rulesets
from tests.support.rule_samples import HEAD, document

if TYPE_CHECKING:
    from engine.errors import InvalidRulesetError

UNREACHABLE = RulesetUnreachableError("store", "timed out")


def _document(version: str) -> bytes:
    return document(head=HEAD.replace('"1"', f'"{version}"')).encode()


BAD = _document("3").replace(b"rules: []", b"rules: 5")


@dataclass
class Store:
    """Where the document is kept: gives it, or fails while ``content`` is an error. With a clock that stands still."""

    content: bytes | RulesetUnreachableError
    loads: int = 0
    now: float = 100.0
    refused: list[InvalidRulesetError] = field(default_factory=list)
    unreachable: list[RulesetUnreachableError] = field(default_factory=list)

    def load(self) -> bytes:
        self.loads += 1
        if isinstance(self.content, RulesetUnreachableError):
            raise self.content
        return self.content

    def rulesets(self) -> Rulesets:
        return Rulesets(
            self.load,
            source="store",
            on_refused=self.refused.append,
            on_unreachable=self.unreachable.append,
            retry_seconds=5.0,
            monotonic=lambda: self.now,
        )


def test_the_document_is_read_once_while_it_stays_the_same() -> None:
    rulesets = Store(_document("1")).rulesets()

    assert rulesets.current() is rulesets.current()


def test_a_new_document_is_in_force_at_once() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    rulesets.current()

    store.content = _document("2")

    assert rulesets.current().version == "2"


def test_a_bad_document_leaves_the_old_one_in_force_and_is_told_once() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()

    store.content = BAD

    assert rulesets.current() is first
    assert rulesets.current() is first
    assert [error.problems[0].source for error in store.refused] == ["store"]
    assert rulesets.refused is store.refused[0]


def test_a_good_document_after_a_bad_one_is_taken_and_nothing_is_refused_any_more() -> None:
    store = Store(BAD)
    rulesets = store.rulesets()
    with pytest.raises(NoRulesetError):
        rulesets.current()

    store.content = _document("4")

    assert rulesets.current().version == "4"
    assert rulesets.refused is None


def test_going_back_to_the_old_document_ends_the_refusal() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    rulesets.current()
    store.content = BAD
    rulesets.current()

    store.content = _document("1")

    assert rulesets.current().version == "1"
    assert rulesets.refused is None


def test_what_cannot_be_reached_leaves_the_old_one_in_force_and_is_left_alone_for_a_while() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()
    store.content = UNREACHABLE

    for store.now in (100.0, 104.9, 105.0, 109.9):
        assert rulesets.current() is first

    assert store.unreachable == [UNREACHABLE, UNREACHABLE]
    store.now, store.content = 110.0, _document("2")
    assert rulesets.current().version == "2"


def test_nothing_at_the_cold_start_is_an_error_and_is_tried_again_by_the_next_batch() -> None:
    store = Store(UNREACHABLE)
    rulesets = store.rulesets()

    for _ in range(2):
        with pytest.raises(NoRulesetError, match="store: no active ruleset: the document cannot be fetched"):
            rulesets.current()

    assert store.loads == 2
    store.content = _document("1")
    assert rulesets.current().version == "1"


def test_a_bad_document_at_the_cold_start_is_an_error_and_is_told_once() -> None:
    store = Store(BAD)
    rulesets = store.rulesets()

    for _ in range(2):
        with pytest.raises(NoRulesetError, match="the document is refused") as caught:
            rulesets.current()

    assert len(store.refused) == 1
    assert caught.value.__cause__ is store.refused[0]


def test_appconfig_is_not_asked_more_often_than_it_allows() -> None:
    with pytest.raises(ValueError, match="max_age_seconds is 14; at least 15"):
        AppConfigDocument(application="a", environment="e", profile="p", max_age_seconds=MIN_POLL_SECONDS - 1)
