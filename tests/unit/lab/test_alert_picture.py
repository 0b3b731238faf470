"""The picture of an alert shows the e-mail that the alert stage writes, and the tree holds the picture of today's code."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from alert.messages import email_text, subject_line
from engine.rules.ruleset import parse_ruleset
from lab.alert_picture import as_svg, example_alert, picture
from ops.manifests import ROOT

RULES = ROOT / "rules" / "default.yaml"


def test_the_picture_shows_the_subject_and_every_line_of_the_e_mail() -> None:
    alert = example_alert(parse_ruleset(RULES.read_text(), str(RULES)))

    svg = ET.fromstring(as_svg(alert))

    shown = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert shown == [subject_line(alert), *filter(None, email_text(alert).splitlines())]


def test_rules_that_block_nothing_give_no_picture() -> None:
    ruleset = parse_ruleset(
        'version: "1"\nbase_currency: USD\nthresholds: {review: 50, block: 80}\nrules: []\n', "empty"
    )

    with pytest.raises(LookupError, match="blocks no simulated payment of impossible_travel"):
        example_alert(ruleset)


def test_the_picture_of_the_readme_is_up_to_date() -> None:
    assert Path("docs/alert.svg").read_text() == picture(), "run `make docs`"
