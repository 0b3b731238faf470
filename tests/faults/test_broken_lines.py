"""Each line that the matrix breaks is there to be broken; the matrix itself says so only after minutes."""

from __future__ import annotations

import pytest

from ops.manifests import ROOT

from .broken_lines import BROKEN_LINES, BrokenLine


@pytest.mark.parametrize("line", BROKEN_LINES, ids=lambda line: line.name)
def test_a_line_that_is_broken_on_purpose_is_in_its_function_once(line: BrokenLine) -> None:
    text = (ROOT / "functions" / line.module).read_text(encoding="utf-8")

    assert text.count(line.original) == 1
    assert line.broken != line.original
