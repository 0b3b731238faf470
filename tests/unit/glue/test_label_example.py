"""The guide's file of chargebacks, read with its mapping."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from contract.card_numbers import holds_card_number
from contract.mapping.document import parse_mapping
from contract.mapping.kinds import LABELS
from glue_scripts.label_rows import LabelCleaner
from glue_scripts.landed_rows import landed_rows
from glue_scripts.prefix_mappings import parse_mappings
from glue_scripts.rows import NoLabel, Published
from ops.manifests import ROOT
from tests.support.landed_rows import TOKENS

if TYPE_CHECKING:
    from glue_scripts.rows import CleanedRow

FOLDER = ROOT / "docs" / "labels"
MAPPINGS = FOLDER / "mappings"
GUIDE = (ROOT / "docs" / "guide-labels.md").read_text()
MAPPING = parse_mapping((MAPPINGS / "chargebacks.yaml").read_text(), "chargebacks.yaml", LABELS)


def read(content: bytes) -> list[CleanedRow]:
    cleaner = LabelCleaner(TOKENS, MAPPING)
    return [place.row for place in landed_rows("chargebacks.csv", [content], MAPPING.form, cleaner)]


def test_every_row_of_the_example_is_a_label_or_says_nothing_of_fraud() -> None:
    rows = read((FOLDER / "chargebacks.csv").read_bytes())

    assert Counter(type(row) for row in rows) == {Published: 4, NoLabel: 2}
    messages = [json.loads(row.record) for row in rows if isinstance(row, Published)]
    assert messages[0] == {
        "transaction_id": "order-58213",
        "label_id": "CB-2026-00117",
        "source": "chargeback",
        "verdict": "fraud",
        "fraud_type": "card_not_present",
        "known_at": "2026-11-23T23:00:00Z",
    }
    assert [message["fraud_type"] for message in messages[1:]] == [
        "card_not_present",
        "counterfeit",
        "lost_or_stolen",
    ]
    assert not any(holds_card_number(json.dumps(message)) for message in messages)


def test_the_job_takes_the_folder_of_the_example_s_mapping() -> None:
    documents = {f"s3://m/{file.name}": file.read_bytes() for file in MAPPINGS.iterdir()}

    mappings = parse_mappings(documents, "s3://m/", "s3://landing/labels/", LABELS)

    assert "LABEL_MAPPINGS=docs/labels/mappings\n" in GUIDE
    assert mappings.prefix_of("s3://landing/labels/chargebacks/2026/a.csv") == "chargebacks"


@pytest.mark.parametrize("block", [text.split("```")[0] for text in GUIDE.split("```yaml\n")[1:]])
def test_the_mappings_of_the_guide_are_mappings(block: str) -> None:
    mapping = parse_mapping(block, "guide.yaml", LABELS)

    assert mapping.missing(LABELS.needed) == []


def test_the_guide_s_file_without_a_mapping_is_read() -> None:
    begin = GUIDE.index("    transaction_id,verdict,source")
    text = "\n".join(line.strip() for line in GUIDE[begin:].split("\n\n")[0].splitlines())

    rows = [
        place.row for place in landed_rows("labels.csv", [text.encode()], MAPPING.form, LabelCleaner(TOKENS))
    ]

    assert [type(row) for row in rows] == [Published, Published]
