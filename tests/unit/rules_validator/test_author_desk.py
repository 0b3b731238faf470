"""The console's requests: a document is read, edited, and refused with the checker's messages at their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.authoring import (
    Answer,
    ChangeRule,
    Entry,
    Read,
    ReadModel,
    ReadSide,
    TakeOff,
)
from contract.side import Side
from engine.rollout.start import with_candidate
from engine.rules.model_section import no_models
from rules_validator.author_desk import answer
from tests.support.rule_samples import HEAD

if TYPE_CHECKING:
    from contract.authoring import Request

DOCUMENT = f"""{HEAD}
lists:
  cards: {{field: card_id, entries: []}}
rules:
  - id: large
    when: amount_base > 100.0
    points: 10
    reason: "Paid {{amount_base:.2f}}."
"""


def ask(request: Request) -> Answer:
    event: Any = msgspec.json.decode(msgspec.json.encode(request))
    return msgspec.convert(msgspec.json.decode(msgspec.json.encode(answer(event, no_models))), Answer)


def test_a_good_document_is_outlined() -> None:
    found = ask(Read(DOCUMENT))

    assert found.outline is not None
    assert (found.outline.champion.version, found.outline.candidate) == ("1", None)
    assert [rule.id for rule in found.outline.champion.rules] == ["large"]
    assert (found.problems, found.refusal) == ((), "")


def test_a_bad_document_is_answered_with_its_problems() -> None:
    found = ask(Read(DOCUMENT.replace("amount_base > 100.0", "amount_bas > 100.0")))

    assert found.outline is None
    assert [(each.line, each.rule_id) for each in found.problems] == [(10, "large")]
    assert "amount_base" in found.problems[0].message


def test_a_rule_is_changed_with_the_version() -> None:
    rule = 'id: large\nwhen: amount_base > 200.0\npoints: 10\nreason: "Paid."'

    found = ask(ChangeRule(DOCUMENT, "large", rule, "2"))

    assert found.outline is not None
    assert (found.outline.champion.version, found.outline.champion.rules[0].reason) == ("2", "Paid.")
    assert found.first_line == found.outline.champion.rules[0].first_line


def test_an_edit_that_cannot_be_made_is_answered_with_why() -> None:
    found = ask(ChangeRule(DOCUMENT, "absent", "id: x"))

    assert found == Answer(document=DOCUMENT, refusal="the ruleset has no rule 'absent'")


def test_an_entry_is_taken_off_its_list() -> None:
    text = DOCUMENT.replace("entries: []", "entries: [{value: tok_1, note: stolen}, {value: tok_2}]")

    found = ask(TakeOff(text, "cards", ("tok_1",)))

    assert found.outline is not None
    assert found.outline.champion.lists[0].entries == (Entry("tok_2"),)


def test_each_side_is_made_a_document_of_its_own() -> None:
    other = DOCUMENT.replace('version: "1"', 'version: "2"').replace("points: 10", "points: 30")
    both = with_candidate(DOCUMENT, other, 2.5)

    whole = ask(Read(both))
    champion, candidate = (ask(ReadSide(both, side)) for side in Side)

    assert whole.outline is not None
    assert whole.outline.candidate is not None
    assert (whole.outline.share, whole.outline.candidate.rules[0].points) == (2.5, 30)
    assert whole.outline.candidate.lists == whole.outline.champion.lists
    for alone, points in ((champion, 10), (candidate, 30)):
        assert alone.outline is not None
        assert alone.outline.candidate is None
        assert [rule.points for rule in alone.outline.champion.rules] == [points]
        assert dict(alone.outline.champion.settings)["exchange_rates.EUR"] == "1.25"
    assert ask(ReadSide(DOCUMENT, Side.CHAMPION)).document == DOCUMENT
    assert ask(ReadSide(DOCUMENT, Side.CANDIDATE)).refusal == "the active ruleset has no candidate"


def test_a_model_is_given_with_its_training_window_where_they_are_kept() -> None:
    event = msgspec.to_builtins(ReadModel("a" * 64))

    assert answer(event, lambda _: b"{}", lambda _: b"[]") == {"model": "{}", "baseline": "[]"}
    assert answer(event, no_models) == {"model": None, "baseline": None}


@pytest.mark.parametrize(
    "event", [{"ask": "deploy"}, {"ask": "read"}, {"ask": "read", "document": "x" * 262_145}]
)
def test_what_is_no_request_is_an_error(event: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        answer(event, no_models)
