"""The model that ships fits the engine that ships with it."""

from __future__ import annotations

from typing import Final

from engine.model.document import MAX_MODEL_BYTES
from engine.model.tables import read_model
from ops.manifests import ROOT, read_functions

DATA: Final = (ROOT / "models" / "default.json").read_bytes()


def test_the_default_model_is_read_and_is_small() -> None:
    model = read_model(DATA, "models/default.json")

    assert len(DATA) <= MAX_MODEL_BYTES / 4
    assert model.document.training.frauds > 1_000


def test_its_card_is_of_the_same_model_and_says_that_one_s_own_data_will_beat_it() -> None:
    card = (ROOT / "models" / "default.md").read_text()

    assert read_model(DATA, "models/default.json").sha256 in card
    assert "A model of your own payments will beat it" in card


def test_it_ships_in_the_zip_of_the_score_stage() -> None:
    assert "models/default.json" in {str(file) for file in read_functions()["score"].files}
