"""A draft is answered by the problems at the author's lines, or by the whole document that would be active."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from common.ruleset_bucket import MissingDocumentError
from common.ruleset_checks import UncheckedDraftError, check_draft
from contract.ruleset_change import ChangeKind, ListEntry, document_digest
from contract.ruleset_draft import CheckedDraft, Draft
from engine.rules.model_section import no_models
from engine.rules.ruleset import parse_ruleset
from rules_validator.drafts import DraftChecker
from tests.support.default_rules import DEFAULT
from tests.support.rule_samples import HEAD, RULE, document

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = "lists: {denied: {field: device_id, entries: []}}\n"
TODAY = datetime(2026, 12, 1, 9, tzinfo=UTC)
ACTIVE = document(f"rules: {json.dumps([RULE])}", HEAD + LISTS)
OTHER = document(f"rules: {json.dumps([RULE])}", HEAD.replace('"1"', '"2"') + LISTS)


def _checker(active: str = ACTIVE) -> tuple[DraftChecker, str]:
    digest = document_digest(active.encode())
    kept = {digest: active.encode()}

    def read(asked: str) -> bytes:
        if asked not in kept:
            raise MissingDocumentError(f"rulesets/{asked}")
        return kept[asked]

    return DraftChecker(read, no_models, lambda: TODAY), digest


def _check(active: str = ACTIVE, **draft: Any) -> CheckedDraft:
    checker, digest = _checker(active)
    return checker.check(Draft(**{"digest_before": digest} | draft))


def test_a_good_candidate_is_answered_by_the_whole_document_and_what_is_in_it() -> None:
    answer = _check(kind=ChangeKind.CANDIDATE, document=OTHER, share=5)

    assert answer.is_good
    assert (answer.version_after, answer.candidate_version, answer.candidate_share) == ("1", "2", 5)
    assert answer.withdrawn_version is None
    candidate = parse_ruleset(answer.document).candidate
    assert candidate is not None
    assert answer.summary.startswith("ruleset: version 1 (")


def test_the_default_rules_are_good_for_all_users() -> None:
    answer = _check(kind=ChangeKind.TO_ALL, document=DEFAULT)

    assert answer.is_good
    assert answer.document == DEFAULT


def test_a_problem_has_its_line_in_the_author_s_document_not_in_the_whole_one() -> None:
    answer = _check(kind=ChangeKind.CANDIDATE, document=OTHER + "nonsense: true\n", share=5)

    (problem,) = answer.problems
    assert problem.line == OTHER.count("\n") + 1
    assert problem.column == 1
    assert "nonsense" in problem.message
    assert problem.excerpt.startswith("nonsense: true\n^")
    assert (answer.document, answer.version_after) == ("", None)


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        ({"kind": ChangeKind.CANDIDATE, "document": OTHER}, "at most 50%"),
        ({"kind": ChangeKind.CANDIDATE, "document": ACTIVE, "share": 5}, "version"),
        ({"kind": ChangeKind.CANDIDATE, "document": OTHER.replace("1.25", "1.5"), "share": 5}, "exchange_rates"),
        ({"kind": ChangeKind.WITHDRAWN}, "no candidate"),
        ({"kind": ChangeKind.LISTS, "list_entries": (ListEntry(list_name="denied", value="d", until="2026-02-30"),)}, "until"),
    ],
)  # fmt: skip
def test_a_problem_of_the_whole_has_a_sentence_and_no_line(draft: dict[str, Any], problem: str) -> None:
    answer = _check(**draft)

    assert problem in answer.problems[0].message
    assert answer.problems[0].line is None


def test_a_withdrawn_or_replaced_candidate_is_named() -> None:
    active = _check(kind=ChangeKind.CANDIDATE, document=OTHER, share=5).document
    third = OTHER.replace('"2"', '"3"')

    withdrawn = _check(active, kind=ChangeKind.WITHDRAWN)
    replaced = _check(active, kind=ChangeKind.SHADOW, document=third)
    promoted = _check(active, kind=ChangeKind.TO_ALL)

    assert (withdrawn.withdrawn_version, replaced.withdrawn_version) == ("2", "2")
    assert (promoted.withdrawn_version, promoted.version_after) == (None, "2")


def test_an_active_document_that_cannot_be_read_any_more_keeps_no_better_one_out() -> None:
    answer = _check("version: '0'\nfeatures_of_old: 1\n", kind=ChangeKind.TO_ALL, document=OTHER)

    assert answer.is_good
    assert answer.withdrawn_version is None


def test_the_first_ruleset_of_all_needs_no_active_one() -> None:
    checker, _ = _checker()

    assert checker.check(Draft(kind=ChangeKind.TO_ALL, digest_before=None, document=OTHER)).is_good


def test_an_active_document_that_is_not_kept_is_no_problem_of_the_author_s() -> None:
    with pytest.raises(MissingDocumentError):
        _check(kind=ChangeKind.WITHDRAWN, digest_before="0123456789ab")


class _Lambda:
    def __init__(self, answer: Callable[[Any], Any], **result: Any) -> None:
        self._answer = answer
        self._result = result

    def invoke(self, **sent: Any) -> Any:
        assert sent["FunctionName"] == "dev-rules-validator"
        content = json.dumps(self._answer(json.loads(sent["Payload"]))).encode()
        return {"Payload": io.BytesIO(content), **self._result}


def test_a_draft_and_its_answer_pass_through_lambda_unchanged() -> None:
    checker, digest = _checker()
    entry = ListEntry(list_name="denied", value="d-1", note="n")
    draft = Draft(kind=ChangeKind.LISTS, digest_before=digest, list_entries=(entry,))

    def answer(event: Any) -> Any:
        return msgspec.to_builtins(checker.check(msgspec.convert(event["draft"], Draft)))

    client: Any = _Lambda(answer)
    assert check_draft(client, "dev-rules-validator", draft) == checker.check(draft)


def test_a_checker_that_failed_is_an_error_without_what_it_says() -> None:
    failure = {"errorMessage": "device d-1 is bad", "errorType": "ModelUnreachableError"}
    client: Any = _Lambda(lambda _: failure, FunctionError="Unhandled")

    with pytest.raises(UncheckedDraftError, match=r"could not be checked: ModelUnreachableError$"):
        check_draft(client, "dev-rules-validator", Draft(kind=ChangeKind.WITHDRAWN, digest_before=None))


@pytest.mark.parametrize(("until", "is_good"), [(None, False), ("2027-03-02", False), ("2027-03-01", True)])
def test_an_entry_of_an_allow_list_ends_within_90_days_and_says_that_pages_mask_it(
    until: str | None, is_good: bool
) -> None:
    rule = RULE | {"when": "on_denied", "points": -10}
    allowing = document(f"rules: {json.dumps([rule])}", HEAD + LISTS)
    entry = ListEntry(list_name="denied", value="d-1", until=until)

    answer = _check(allowing, kind=ChangeKind.LISTS, list_entries=(entry,))

    assert (answer.is_good, answer.changes_masked) == (is_good, is_good)


def test_an_entry_of_a_deny_list_may_count_for_ever_and_says_that_pages_mask_it() -> None:
    entry = ListEntry(list_name="denied", value="d-1")

    answer = _check(kind=ChangeKind.LISTS, list_entries=(entry,))

    assert (answer.is_good, answer.changes_masked) == (True, True)
