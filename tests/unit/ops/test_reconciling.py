"""`make reconcile` invokes the function, says what it found, and fails where something is left."""

from __future__ import annotations

import argparse
import io
from typing import Any

import msgspec
import pytest

from ops.errors import OpsError
from ops.reconciling import add_options, is_clean, report, request, run

FOUND = {
    "checked": 9,
    "flagged_rows_repaired": 2,
    "alerts_repaired": 1,
    "cases_repaired": 3,
    "cases_recounted": 4,
    "repairs_failed": 0,
    "hours_unchecked": 0,
}


class Functions:
    def __init__(self, answer: Any, error: str = "") -> None:
        self.answer = answer
        self.error = error
        self.asked: list[Any] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - Lambda's names
        assert FunctionName == "fraud-dev-reconcile:live"
        self.asked.append(msgspec.json.decode(Payload))
        answer = {"Payload": io.BytesIO(msgspec.json.encode(self.answer))}
        return answer | ({"FunctionError": self.error} if self.error else {})


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        pytest.param([], {}, id="as in its settings"),
        pytest.param(["--hours", "168"], {"hours": 168}, id="a week"),
        pytest.param(
            ["--hours", "4320", "--recount"], {"hours": 4320, "recount": True}, id="after a restore"
        ),
    ],
)
def test_the_function_is_asked_for_what_the_options_say(options: list[str], asked: dict[str, int]) -> None:
    functions, parser = Functions(FOUND), argparse.ArgumentParser()
    add_options(parser)

    found = run(functions, "fraud-dev-reconcile:live", request(parser.parse_args(options)))

    assert found == FOUND
    assert functions.asked == [asked]


def test_a_function_that_fails_is_an_error_that_names_it() -> None:
    with pytest.raises(OpsError, match="fraud-dev-reconcile:live failed"):
        run(Functions({"errorType": "UnansweredError"}, "Unhandled"), "fraud-dev-reconcile:live", {})


def test_the_report_has_every_count() -> None:
    assert report(FOUND) == (
        "9 payments checked: 2 flagged, 1 alerted on and 3 put in cases again, cases of 4 counted again, "
        "0 repairs failed, 0 parts of an hour unchecked."
    )


@pytest.mark.parametrize("left", ["repairs_failed", "hours_unchecked"])
def test_what_is_left_is_not_clean_and_what_was_repaired_is(left: str) -> None:
    assert is_clean(FOUND)
    assert not is_clean(FOUND | {left: 1})
