"""The README names every group of people and every key, for somebody who opens the console for the first time."""

from __future__ import annotations

import re

from console.pages import TEMPLATES
from console.rights import Group
from ops.manifests import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## The console") : README.index("## What it does that others do not")]


def test_every_group_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", SECTION, re.MULTILINE)

    assert set(explained) >= {group.value for group in Group}


def test_every_key_of_the_help_is_in_the_table_and_no_other() -> None:
    shown = re.findall(r"<dt>(.*?)</dt>", (TEMPLATES / "base.html").read_text(encoding="utf-8"))
    keys = {key for line in shown for key in re.findall(r"<kbd>(.)</kbd>", line)}

    rows = SECTION[SECTION.index("| key |") : SECTION.index("Every key has")]
    # 1 to 4 in the help are four keys here.
    named = {key for row in rows.strip().splitlines()[2:] for key in re.findall(r"`(.)`", row.split("|")[1])}
    assert named - {"2", "3"} == keys
