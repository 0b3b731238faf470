"""Redriving a stage of the local stack if there is no stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.redrive import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_without_a_stack_one_sentence_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--queue", "alert", "--build-dir", str(tmp_path)])

    assert code == 1
    assert capsys.readouterr().err == f"no stack is up in {tmp_path}; `make up` starts one\n"
