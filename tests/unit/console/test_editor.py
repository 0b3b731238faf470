"""The editor gives the checker's messages at the lines of what was written, shows what would differ, and proposes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from console.editor_views import next_version, problem_rows, written_of
from console.rights import Group
from contract.audit import chains_of
from contract.ruleset_change import ChangeKind, ChangeState
from contract.ruleset_draft import DraftProblem
from tests.support.console_rulesets import RULESET, RULESET_WITH_CANDIDATE, outline_of
from tests.support.console_world import NOW

if TYPE_CHECKING:
    from tests.support.console_world import Answer, ConsoleWorld

RULE = 'id: large\nwhen: amount_base > 9000.0\npoints: 25\nreason: "Large."\n'


@pytest.fixture
def author(world: ConsoleWorld) -> ConsoleWorld:
    """An author at a console with an active ruleset."""
    world.rulesets.activate(RULESET, NOW)
    world.sign_in(Group.AUTHOR)
    return world


def form(world: ConsoleWorld, text: str = RULE, **changes: str) -> dict[str, str]:
    active = world.rulesets.desk.active()
    assert active is not None
    fields = {
        "scope": "rule",
        "subject": "large",
        "text": text,
        "version": "2",
        "reach": "candidate",
        "share": "2.5",
        "reason": "too many are honest",
        "base": active.digest,
    }
    return fields | changes


def check(world: ConsoleWorld, text: str = RULE, **changes: str) -> Answer:
    return world.post("/rules/check", form(world, text, **changes))


def proposed(world: ConsoleWorld) -> list[Any]:
    return world.rulesets.desk.open_changes()


def test_the_form_shows_the_rule_and_the_features_with_their_sentences(author: ConsoleWorld) -> None:
    page = author.get("/rules/rule/large/edit")

    assert page.status == 200
    assert "id: large\nwhen: amount_base &gt; 5000.0 &amp;&amp; on_denied_merchants" in page.body
    assert 'name="version" value="2026-03-01"' in page.body
    assert '<th scope="row">implied_speed_kmh</th>' in page.body
    assert '<th scope="row">on_denied_cards</th>' in page.body


def test_a_mistake_is_shown_at_its_line_of_the_form(author: ConsoleWorld) -> None:
    page = check(author, RULE.replace("amount_base", "amount_bas"))

    assert page.status == 422
    assert "<b>Line 2:</b>" in page.body
    assert "amount_bas &gt; 9000.0" in page.body  # what was written is still in the form
    assert "The checker refuses it" in page.body
    assert proposed(author) == []


def test_what_is_no_yaml_is_shown_at_its_line_too(author: ConsoleWorld) -> None:
    page = check(author, 'id: large\nwhen: "open\npoints: 1\n')

    assert page.status == 422
    assert "not YAML" in page.body


def test_a_good_rule_is_compared_with_the_active_one_and_nothing_is_proposed(author: ConsoleWorld) -> None:
    page = check(author, RULE.replace("\n", "\r\n"))  # as browsers send it

    assert page.status == 200
    assert "The checker finds nothing wrong" in page.body
    assert "1 changed rule, 1 entry of lists, 1 setting." in page.body
    assert "denied no more by the rules" in page.body  # the changed rule asks for the list no more
    assert "<ins>+ points: 25</ins>" in page.body
    assert "<del>- points: 20</del>" in page.body
    assert proposed(author) == []


@pytest.mark.parametrize(
    ("reach", "kind", "share"),
    [
        ("shadow", ChangeKind.SHADOW, 0.0),
        ("candidate", ChangeKind.CANDIDATE, 2.5),
        ("to_all", ChangeKind.TO_ALL, None),
    ],
)
def test_a_rule_is_proposed_for_whom_its_author_chooses(
    author: ConsoleWorld, reach: str, kind: ChangeKind, share: float | None
) -> None:
    answer = author.post("/rules/propose", form(author, reach=reach))

    (change,) = proposed(author)
    assert answer.status == 303
    assert answer.headers["location"] == f"/changes/{change.change_id}"
    assert (change.kind, change.candidate_share, change.state) == (kind, share, ChangeState.PROPOSED)
    assert (change.changed_by, change.reason) == ("person-1", "too many are honest")
    whole = outline_of(author.rulesets.desk.document_after(change))
    side = whole.champion if share is None else whole.candidate
    assert side is not None
    assert [rule.points for rule in side.rules] == [40, 25]
    assert "# Of the bank." in author.rulesets.desk.document_after(change)


def test_a_rule_that_is_changed_for_all_leaves_the_candidate_in_its_place(author: ConsoleWorld) -> None:
    author.rulesets.activate(RULESET_WITH_CANDIDATE, NOW, 2)

    author.post("/rules/propose", form(author, reach="to_all", version="3"))

    (change,) = proposed(author)
    assert (change.version_after, change.candidate_version) == ("3", "2")


def test_the_whole_document_is_opened_for_a_reason_changed_and_proposed(author: ConsoleWorld) -> None:
    opened = author.post("/rules/document", {"subject": "champion", "reason": "other thresholds"})
    changed = RULESET.replace("review: 50", "review: 60").replace('"1"', '"2"')
    answer = author.post("/rules/propose", form(author, changed, scope="document", reach="to_all"))

    (change,) = proposed(author)
    assert "# Of the bank." in opened.body
    assert answer.status == 303
    assert author.rulesets.desk.document_after(change) == changed
    details = [
        event.details.get("reason")
        for chain in chains_of("2026-03-01")
        for event in author.events.chain(chain)
        if event.action == "document_opened"
    ]
    assert details == ["other thresholds"]


def test_the_candidates_document_can_be_opened_too(author: ConsoleWorld) -> None:
    author.rulesets.activate(RULESET_WITH_CANDIDATE, NOW, 2)

    page = author.post("/rules/document", {"subject": "candidate", "reason": "to go on from it"})

    assert "points: 30" in page.body
    assert "base_currency: USD" in page.body
    assert "share: 5" not in page.body


def test_who_wrote_from_an_earlier_ruleset_sees_that_before_it_is_proposed(author: ConsoleWorld) -> None:
    earlier = form(author, reach="to_all")
    author.rulesets.activate(RULESET.replace("points: 40", "points: 45"), NOW, 2)

    shown = author.post("/rules/propose", earlier)
    again = author.post("/rules/propose", form(author, reach="to_all"))

    assert shown.status == 200
    assert "Another ruleset has become active since" in shown.body
    assert again.status == 303


@pytest.mark.parametrize("share", ["0", "51", "half", "-1", "nan"])
def test_a_share_out_of_bounds_is_refused(author: ConsoleWorld, share: str) -> None:
    assert "A share is above 0 and at most 50 percent" in check(author, share=share).body


def test_a_new_rule_comes_last(author: ConsoleWorld) -> None:
    form_page = author.get("/rules/new")
    new = RULE.replace("large", "larger")

    author.post("/rules/propose", form(author, new, subject="", reach="to_all"))

    (change,) = proposed(author)
    assert "a_name_for_it" in form_page.body
    rules = outline_of(author.rulesets.desk.document_after(change)).champion.rules
    assert [rule.id for rule in rules] == ["impossible_travel", "large", "larger"]


def test_a_senders_text_in_the_form_is_no_markup(author: ConsoleWorld) -> None:
    page = check(author, "</textarea><script>alert(1)</script>")

    assert "<script>alert" not in page.body


def test_problems_outside_of_the_rule_name_where_they_are() -> None:
    problems = [
        DraftProblem(message="bad", line=5, column=3),
        DraftProblem(message="worse", line=1, column=1),
        DraftProblem(message="of another", line=9, column=1, rule_id="other"),
        DraftProblem(message="of the whole"),
    ]

    rows = problem_rows(problems, "a\nb\nc\nd\n  e\nf", 4, 6)

    assert [row.place for row in rows] == ["Line 2", "Elsewhere in the document, line 1", "Rule other", ""]
    assert [row.excerpt for row in rows] == ["  e\n  ^", "", "", ""]


def test_a_broken_text_shows_no_line_of_a_list(author: ConsoleWorld) -> None:
    head, rules = (
        RULESET.split("lists:\n")[0],
        "rules:\n  - {id: other, when: is_weekend, points: 1, reason: r}\n",
    )
    lists = 'lists:\n  denied:\n    field: device_id\n    entries:\n      - {value: thiefs-phone, until: "2026-02-01"}\n'
    author.rulesets.activate(f"{head}{rules}{lists}", NOW, 2)

    page = check(author, 'id: new\nwhen: "open\npoints: 1\nreason: r\n', subject="")

    assert "Elsewhere in the document" in page.body
    assert "not YAML" in page.body
    assert "thiefs-phone" not in page.body


def test_a_form_without_fields_is_one_of_a_new_rule() -> None:
    written = written_of({}, "7")

    assert (written.rule, written.text, written.version) == ("", "", "7")
    assert written.kind is ChangeKind.SHADOW


@pytest.mark.parametrize("path", ["check", "try", "propose"])
def test_a_text_that_is_the_active_one_is_refused_in_the_form(author: ConsoleWorld, path: str) -> None:
    page = author.post(f"/rules/{path}", form(author, RULESET, scope="document", reach="to_all"))

    assert page.status == 422
    assert "It changes nothing: the active ruleset is the same text." in page.body
    assert (proposed(author), author.replays.jobs) == ([], [])


def test_a_changed_candidate_of_the_same_version_is_refused(author: ConsoleWorld) -> None:
    author.rulesets.activate(RULESET_WITH_CANDIDATE, NOW, 2)

    page = check(author, version="2")

    assert "candidate 2 would say something else than the active one of this version" in page.body


def test_the_version_that_is_proposed_is_not_the_candidates() -> None:
    assert next_version({"2026-11-26", "2026-11-27"}, "2026-11-27") == "2026-11-27.2"
