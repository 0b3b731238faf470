"""`make train EXPORT=`: a model of what the system stored, the same bytes of the same rows, whatever became known later."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from contract.clock import TimeBasis
from contract.items import to_item
from contract.scored import Decision, to_history_item
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from engine.model.drift import read_baseline
from engine.model.tables import read_model
from ops.manifests import ROOT
from tests.support.exports import write_exports
from tests.support.labels import make_label
from tests.support.payments import make_scored, make_transaction
from tests.support.rule_samples import features
from training.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("training")

BEGIN: Final = datetime(2026, 4, 1, tzinfo=UTC)
DAYS: Final = 42
UNTIL: Final = datetime(2026, 5, 6, tzinfo=UTC)
"""35 days of payments are before it, and 28 of them are trained on."""

Rows = list[dict[str, Any]]


def _rows(is_label_kept: Callable[[datetime], bool] = lambda _known_at: True) -> tuple[Rows, Rows]:
    """History and labels: fraud is paid online, for much, and reported five days later."""
    draw = random.Random(1)
    history: Rows = []
    labels: Rows = []
    for number in range(30 * DAYS):
        at = BEGIN + timedelta(seconds=draw.randrange(DAYS * 86_400))
        is_fraud = draw.random() < 0.06
        amount = draw.lognormvariate(6 if is_fraud else 3, 0.5)
        channel = "online" if is_fraud else draw.choice(["in_person", "online"])
        payment = make_transaction(
            transaction_id=f"t{number}",
            user_id=f"u{number % 50}",
            amount=Decimal(f"{amount:.2f}"),
            timestamp=at,
        )
        scored = make_scored(
            payment,
            decision=Decision.APPROVE,
            basis=TimeBasis.TRUSTED,
            features=pack(features(amount_base=round(amount, 2), channel=channel)),
            feature_set=FEATURE_SET,
            appended_at=at,
        )
        history.append(to_history_item(scored, 0))
        known_at = at + timedelta(days=5)
        if is_fraud and is_label_kept(known_at):
            label = make_label(user_id=payment.user_id, event_key=scored.event_key, known_at=known_at)
            labels.append(to_item(label))
    return history, labels


def _train(folder: Path, history: Rows, labels: Rows, *more: str) -> bytes:
    write_exports(folder / "export", history, labels)
    out = folder / "m.json"
    python = str(ROOT / ".venv-train" / "bin" / "python")
    rules = str(ROOT / "rules" / "default.yaml")
    main(["--export", str(folder / "export"), "--out", str(out), "--python", python, "--rules", rules, *more])
    return out.read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A folder of a training, and the model that it made."""
    folder = tmp_path_factory.mktemp("export")
    return folder, _train(folder, *_rows(), "--until", UNTIL.isoformat())


def test_the_model_has_learnt_what_the_rows_say(trained: tuple[Path, bytes]) -> None:
    model = read_model(trained[1], "m.json")

    low, high = (
        model.fraud_probability(features(amount_base=amount, channel="online")) for amount in (15.0, 500.0)
    )
    assert low < 0.02 < 0.5 < high
    assert model.document.training.labels_until == "2026-05-06T00:00:00.000000Z"
    assert model.document.training.first >= "2026-04-01T00:00"
    assert model.document.training.last < "2026-04-29T00:00"


def test_its_baseline_is_beside_it(trained: tuple[Path, bytes]) -> None:
    baseline = read_baseline((trained[0] / "m.baseline").read_bytes(), "m.baseline")

    assert baseline.model == read_model(trained[1], "m.json").sha256
    assert baseline.features["amount_base"]


def test_the_same_rows_in_another_order_give_the_same_bytes(
    trained: tuple[Path, bytes], tmp_path: Path
) -> None:
    history, labels = _rows()

    again = _train(tmp_path, history[::-1], labels[::-1], "--until", UNTIL.isoformat())

    assert again == trained[1]


def test_a_model_as_of_a_time_is_the_same_without_the_labels_that_came_later(
    trained: tuple[Path, bytes], tmp_path: Path
) -> None:
    history, labels = _rows(is_label_kept=lambda known_at: known_at <= UNTIL)

    without = _train(tmp_path, history, labels, "--until", UNTIL.isoformat())

    assert len(labels) < len(_rows()[1])
    assert without == trained[1]


def test_the_card_says_how_good_it_was_in_the_weeks_after_it(trained: tuple[Path, bytes]) -> None:
    card = (trained[0] / "m.md").read_text()

    assert f"## Weeks after the training: {trained[0] / 'export'}" in card
    assert "| other |" in card


def test_without_a_time_the_model_is_one_as_of_the_export(tmp_path: Path) -> None:
    model = read_model(_train(tmp_path, *_rows(), "--train-days", "60"), "m.json")

    assert model.document.training.labels_until == "2026-06-01T00:00:00.000000Z"


def test_a_time_after_the_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"was exported at 2026-06-01T00:00.*, and has no labels of later"):
        _train(tmp_path, [], [], "--until", "2026-06-02")


def test_an_export_without_payments_ends_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no payments from 2026-04-27T00:00Z to 2026-05-25T00:00Z"):
        _train(tmp_path, [], [])


def test_options_of_a_file_are_refused_for_an_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _train(tmp_path, [], [], "--blocked", "honest")

    assert "an export has labels of its own" in capsys.readouterr().err
