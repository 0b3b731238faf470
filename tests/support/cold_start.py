"""A stage's cold start: its handler, imported in the environment that its function.yaml declares, and what it prints."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from ops.manifests import read_functions

if TYPE_CHECKING:
    from types import ModuleType

    import pytest


def declare_environment(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables of a stage's function.yaml; a reference becomes its last part, ``{ref: table.x}`` the name ``x``."""
    for variable, value in read_functions()[stage].environment.items():
        monkeypatch.setenv(variable, value if isinstance(value, str) else value.ref.partition(".")[2])


def cold_start(stage: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import ``<stage>.handler`` as in a new process.

    Call it in the test, not before: the logger keeps the output that it finds, and pytest changes it.
    """
    reset_cold_start_flag()  # type: ignore[no-untyped-call]  # Powertools types none
    monkeypatch.delitem(sys.modules, f"{stage}.handler", raising=False)
    monkeypatch.delitem(logging.Logger.manager.loggerDict, stage, raising=False)
    return importlib.import_module(f"{stage}.handler")


def emitted(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The fields of all printed lines, metrics in EMF among them; the last value of each."""
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {name: value for line in printed for name, value in line.items()}
