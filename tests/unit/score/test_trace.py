"""Parts of a trace are made where X-Ray records the invocation, and nowhere else."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from score.trace import TRACE_VARIABLE, recorded

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ID = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"


@pytest.mark.parametrize(
    ("environ", "made"),
    [
        ({}, []),
        ({TRACE_VARIABLE: f"{ID};Sampled=0"}, []),
        ({TRACE_VARIABLE: ID}, []),
        ({TRACE_VARIABLE: f"{ID};Sampled=1"}, ["DynamoDB Query"]),
    ],
)
def test_only_recorded_invocations_have_parts(environ: dict[str, str], made: list[str]) -> None:
    names: list[str] = []

    def trace(name: str) -> AbstractContextManager[object]:
        names.append(name)
        return nullcontext()

    with recorded(trace, environ)("DynamoDB Query"):
        pass

    assert names == made


def test_each_invocation_is_asked_anew() -> None:
    names: list[str] = []
    environ: dict[str, str] = {}

    def trace(name: str) -> AbstractContextManager[object]:
        names.append(name)
        return nullcontext()

    traced = recorded(trace, environ)

    for value in ("Sampled=0", "Sampled=1", "Sampled=0"):
        environ[TRACE_VARIABLE] = f"{ID};{value}"
        with traced(value):
            pass

    assert names == ["Sampled=1"]
