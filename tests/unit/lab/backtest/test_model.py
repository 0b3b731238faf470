"""A backtest with a model: its probability is a column, and its points are the ruleset's or those that it proposes itself."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from contract.side import Side
from engine.rollout.start import with_candidate
from engine.rules.sides import UserDraw
from lab.backtest.__main__ import main
from lab.models import kept_model, model_of
from tests.support.backtest_samples import RULES
from tests.support.model_samples import AMOUNT_TERM, model_document
from tests.support.two_models import two_models

if TYPE_CHECKING:
    from pathlib import Path

PAYMENTS = """\
transaction_id,user_id,amount,currency,timestamp,is_fraud
a,u,5,USD,2025-01-01T10:00:00Z,0
b,u,5000,USD,2025-01-01T11:00:00Z,1
"""
MAPPING = """\
transaction_id: transaction_id
user_id: user_id
amount: amount
currency: currency
timestamp: timestamp
label: {column: is_fraud}
"""
STEPS = [[0.1, 30], [0.2, 60]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "payments.csv").write_text(PAYMENTS)
    (tmp_path / "map.yaml").write_text(MAPPING)
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "model.json").write_bytes(model_document(AMOUNT_TERM, proposed_points=STEPS))
    return tmp_path


def _scores(files: Path, *more: str) -> list[dict[str, str]]:
    names = {
        "--data": "payments.csv",
        "--map": "map.yaml",
        "--rules": "rules.yaml",
        "--out": "out.csv",
        "--plot": "p.svg",
    }
    main([*(part for option, name in names.items() for part in (option, str(files / name))), *more])
    return list(csv.DictReader((files / "out.csv").open()))


def test_the_model_s_probability_is_the_last_column(files: Path) -> None:
    rows = _scores(files, "--model", str(files / "model.json"))

    assert list(rows[0])[-1] == "fraud_probability"
    assert [row["fraud_probability"] for row in rows] == ["0.0067", "0.2689"]


def test_without_a_model_there_is_no_such_column(files: Path) -> None:
    assert "fraud_probability" not in _scores(files)[0]


def test_the_points_that_the_model_proposes_are_added(files: Path) -> None:
    rows = _scores(files, "--model", str(files / "model.json"))

    assert [row["points"] for row in rows] == ["0", "110"]
    assert rows[1]["reason_ids"] == "model.amount_base large"


def test_the_points_of_the_ruleset_count_before_those(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "models").mkdir()
    (files / "models" / "named.json").write_bytes(model_document())
    monkeypatch.setattr("lab.models.MODELS", files / "models")
    sha256 = json.loads(model_document())["sha256"]
    (files / "rules.yaml").write_text(f"{RULES}model: {{sha256: {sha256}, points: [[0.25, 7]]}}\n")

    rows = _scores(files, "--model", str(files / "model.json"))

    assert [(row["points"], row["fraud_probability"]) for row in rows] == [("0", "0.0067"), ("57", "0.2689")]


def test_the_model_is_named_below_the_figures(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _scores(files, "--model", str(files / "model.json"))

    assert f"model {model_of(files / 'model.json').sha256[:12]}, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(
            model_document(base_currency="EUR"),
            "trained on amounts in EUR; the ruleset's are in USD",
            id="currency",
        ),
        pytest.param(b"{}", "model.json: Object missing required field", id="no model"),
    ],
)
def test_a_model_that_does_not_fit_ends_the_command_with_a_sentence(
    files: Path, document: bytes, sentence: str
) -> None:
    (files / "model.json").write_bytes(document)

    with pytest.raises(SystemExit) as ended:
        _scores(files, "--model", str(files / "model.json"))

    assert sentence in str(ended.value)


def test_a_model_is_found_by_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.models.MODELS", tmp_path)
    (tmp_path / "a.json").write_bytes(b"no model")
    (tmp_path / "b.json").write_bytes(model_document())
    content: dict[str, Any] = json.loads(model_document())

    assert kept_model(content["sha256"]) == model_document()
    assert kept_model("0" * 64) is None


def test_a_candidate_decides_for_its_users_and_is_named(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    models = two_models(files / "models")
    monkeypatch.setattr("lab.models.MODELS", files / "models")
    other = f"{RULES}model: {{sha256: {next(iter(models))}, points: [[0.0, 7]]}}\n".replace('"1"', '"2"')
    (files / "rules.yaml").write_text(with_candidate(RULES, other, 50.0))

    rows = _scores(files)

    draw = UserDraw("2", 50.0)
    assert {row["user_id"]: draw.side_of(row["user_id"]) for row in rows} == {"u": Side.CANDIDATE}
    assert [row["points"] for row in rows] == ["7", "57"]
    assert list(rows[0])[-1] == "fraud_probability"
    assert "its candidate 2 for 50 % of the users" in capsys.readouterr().out


def test_a_model_is_tried_in_the_champion_alone_which_is_said(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "rules.yaml").write_text(with_candidate(RULES, RULES.replace('"1"', '"2"'), 50.0))

    _scores(files, "--model", str(files / "model.json"))

    assert ", without its candidate 2" in capsys.readouterr().out
