"""What a function answers when it is asked for its report: text for people, and the page that shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.rollout.report import RolloutReport, as_text
from lab.rollout_page import rollout_page

if TYPE_CHECKING:
    from lab.pages.page import Page


class FunctionAnswer(NamedTuple):
    """A function's report."""

    text: str
    page: Page | None
    """None where the function answers with a text alone."""


def read_answer(payload: bytes) -> FunctionAnswer:
    """Read what a function answered: a sentence or lines, or the figures of the guardrails.

    Raises
    ------
    msgspec.DecodeError
        Where it is neither.
    """
    answer = msgspec.json.decode(payload, type=RolloutReport | str)
    if isinstance(answer, str):
        return FunctionAnswer(answer, None)
    return FunctionAnswer(as_text(answer), rollout_page(answer))
