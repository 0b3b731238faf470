from __future__ import annotations

import re

from ops.manifests import ROOT
from tests.faults.catalogue import FAULTS


def test_the_documents_say_how_many_faults_there_are() -> None:
    """Beside the runs without a fault, which is the first of the catalogue."""
    said = {
        (file.name, number)
        for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for number in re.findall(
            r"(?:there are|under|runs|names the|\|) (\d+) (?:faults|by now)", file.read_text()
        )
    }

    assert FAULTS[0].name == "none"
    assert len({name for name, _ in said}) >= 4
    assert {int(number) for _, number in said} == {len(FAULTS) - 1}
