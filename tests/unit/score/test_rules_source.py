"""The active ruleset: the newest good document, even if its source returns a bad one or none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from common.model_archive import ModelUnreachableError
from score.errors import NoRulesetError, RulesetUnreachableError
from score.rules_source import Rulesets
from tests.support.model_samples import model_document
from tests.support.rule_samples import HEAD, document

if TYPE_CHECKING:
    from engine.errors import InvalidRulesetError

UNREACHABLE = RulesetUnreachableError("store", "timed out")


def _document(version: str) -> bytes:
    return document(head=HEAD.replace('"1"', f'"{version}"')).encode()


MODEL = model_document()
SHA256: str = json.loads(MODEL)["sha256"]


def _with_model(version: str) -> bytes:
    return _document(version) + f"model: {{sha256: {SHA256}}}\n".encode()


BAD = _document("3").replace(b"rules: []", b"rules: 5")


@dataclass
class Store:
    """The document's source: gives it, or fails while ``content`` is an error. With a clock that the test sets."""

    content: bytes | RulesetUnreachableError
    loads: int = 0
    now: float = 100.0
    refused: list[InvalidRulesetError] = field(default_factory=list)
    unreachable: list[RulesetUnreachableError] = field(default_factory=list)
    fallbacks: list[bytes | None] = field(default_factory=list)
    became_active: list[tuple[str, bytes]] = field(default_factory=list)
    fell_back: list[str] = field(default_factory=list)
    models: dict[str, bytes | ModelUnreachableError] = field(default_factory=dict)

    def load(self) -> bytes:
        self.loads += 1
        if isinstance(self.content, RulesetUnreachableError):
            raise self.content
        return self.content

    def model(self, sha256: str) -> bytes | None:
        found = self.models.get(sha256)
        if isinstance(found, ModelUnreachableError):
            raise found
        return found

    def rulesets(self) -> Rulesets:
        return Rulesets(
            self.load,
            self.model,
            source="store",
            fallbacks=[partial(lambda given: given, each) for each in self.fallbacks],
            on_active=lambda ruleset, data: self.became_active.append((ruleset.version, data)),
            on_fallback=lambda ruleset: self.fell_back.append(ruleset.version),
            on_refused=self.refused.append,
            on_unreachable=self.unreachable.append,
            retry_seconds=5.0,
            monotonic=lambda: self.now,
        )


def test_the_document_is_read_once_while_it_stays_the_same() -> None:
    rulesets = Store(_document("1")).rulesets()

    assert rulesets.current() is rulesets.current()


def test_a_new_document_is_active_at_once() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    rulesets.current()

    store.content = _document("2")

    assert rulesets.current().version == "2"


def test_a_bad_document_leaves_the_old_one_active_and_is_reported_once() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()

    store.content = BAD

    assert rulesets.current() is first
    assert rulesets.current() is first
    assert [error.problems[0].source for error in store.refused] == ["store"]
    assert rulesets.refused is store.refused[0]


def test_a_good_document_after_a_bad_one_is_active_and_nothing_is_refused_any_more() -> None:
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


def test_an_unreachable_source_leaves_the_old_one_active_and_is_not_asked_for_five_seconds() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()
    store.content = UNREACHABLE

    for store.now in (100.0, 104.9, 105.0, 109.9):
        assert rulesets.current() is first

    assert store.unreachable == [UNREACHABLE, UNREACHABLE]
    store.now, store.content = 110.0, _document("2")
    assert rulesets.current().version == "2"


def test_no_document_at_the_cold_start_is_an_error_and_the_next_batch_tries_again() -> None:
    store = Store(UNREACHABLE)
    rulesets = store.rulesets()

    for _ in range(2):
        with pytest.raises(NoRulesetError, match="store: no active ruleset: the document cannot be fetched"):
            rulesets.current()

    assert store.loads == 2
    store.content = _document("1")
    assert rulesets.current().version == "1"


def test_a_bad_document_at_the_cold_start_is_an_error_and_is_reported_once() -> None:
    store = Store(BAD)
    rulesets = store.rulesets()

    for _ in range(2):
        with pytest.raises(
            NoRulesetError, match=r"store: no active ruleset: the document is refused$"
        ) as caught:
            rulesets.current()

    assert len(store.refused) == 1
    assert caught.value.__cause__ is store.refused[0]


def test_an_unreachable_source_is_not_asked_for_five_seconds_by_default() -> None:
    store = Store(_document("1"))
    rulesets = Rulesets(
        store.load,
        store.model,
        source="store",
        fallbacks=(),
        on_active=lambda ruleset, data: store.became_active.append((ruleset.version, data)),
        on_fallback=lambda ruleset: store.fell_back.append(ruleset.version),
        on_refused=store.refused.append,
        on_unreachable=store.unreachable.append,
        monotonic=lambda: store.now,
    )
    rulesets.current()
    store.content = UNREACHABLE

    loads = []
    for store.now in (100.0, 104.99, 105.0):
        rulesets.current()
        loads.append(store.loads)

    assert loads == [2, 2, 3]


def test_a_start_without_the_source_takes_the_last_good_ruleset_and_says_so_for_each_batch() -> None:
    store = Store(UNREACHABLE, fallbacks=[_document("7"), _document("0")])
    rulesets = store.rulesets()

    versions = [rulesets.current().version for _ in range(3)]

    assert versions == ["7"] * 3
    assert store.fell_back == ["7"] * 3
    assert store.became_active == []
    assert store.loads == 1


@pytest.mark.parametrize("last_good", [None, BAD])
def test_without_a_last_good_ruleset_the_default_decides(last_good: bytes | None) -> None:
    store = Store(UNREACHABLE, fallbacks=[last_good, _document("0")])

    assert store.rulesets().current().version == "0"
    assert store.fell_back == ["0"]


def test_a_start_with_a_bad_ruleset_takes_the_last_good_one_too() -> None:
    store = Store(BAD, fallbacks=[_document("7")])

    assert store.rulesets().current().version == "7"
    assert len(store.refused) == 1


def test_the_source_s_ruleset_replaces_a_fallback_and_ends_its_reports() -> None:
    store = Store(UNREACHABLE, fallbacks=[_document("7")])
    rulesets = store.rulesets()
    rulesets.current()
    store.content = _document("8")
    store.now += 6

    assert rulesets.current().version == "8"
    assert store.fell_back == ["7"]
    assert store.became_active == [("8", _document("8"))]


def test_each_ruleset_that_becomes_active_is_reported_once() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    rulesets.current()
    rulesets.current()
    store.content = _document("2")
    rulesets.current()

    assert [version for version, _ in store.became_active] == ["1", "2"]


def test_a_ruleset_is_active_with_the_model_that_it_names() -> None:
    store = Store(_with_model("1"), models={SHA256: MODEL})

    active = store.rulesets().current()

    assert active.model is not None
    assert active.model.model.sha256 == SHA256


def test_a_ruleset_whose_model_is_not_known_is_refused_and_the_old_one_stays_active() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()

    store.content = _with_model("2")

    assert rulesets.current() is first
    assert ["is known here" in str(error) for error in store.refused] == [True]


def test_a_ruleset_whose_model_cannot_be_fetched_is_read_again_after_five_seconds() -> None:
    store = Store(_document("1"))
    rulesets = store.rulesets()
    first = rulesets.current()
    store.content, store.models = _with_model("2"), {SHA256: ModelUnreachableError(SHA256, "timed out")}

    assert rulesets.current() is first
    store.models = {SHA256: MODEL}
    assert rulesets.current() is first
    store.now += 5.0

    assert rulesets.current().version == "2"
    assert [str(error) for error in store.unreachable] == [f"store: model {SHA256[:12]}: timed out"]
    assert store.refused == []


def test_a_fallback_whose_model_cannot_be_fetched_makes_room_for_the_next() -> None:
    store = Store(
        UNREACHABLE,
        fallbacks=[_with_model("1"), _document("2")],
        models={SHA256: ModelUnreachableError(SHA256, "timed out")},
    )

    assert store.rulesets().current().version == "2"
    assert str(store.unreachable[-1]) == f"fallback: model {SHA256[:12]}: timed out"
