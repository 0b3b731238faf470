"""`make train` from a file: the same data give the same bytes, and what became known later changes nothing."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from engine.model.tables import read_model
from ops.manifests import ROOT
from training.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from engine.model.tables import Model

pytestmark = pytest.mark.xdist_group("training")

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 42
UNTIL: Final = "2025-02-04"
"""The day as of whose end is trained: 35 days are before it."""
MAPPING: Final = """\
transaction_id: transaction_id
user_id: user_id
amount: amount
currency: {value: USD}
timestamp: timestamp
merchant_id: merchant_id
channel: channel
label: {column: is_fraud}
"""
Row = dict[str, Any]


def _rows() -> list[Row]:
    """50 users who pay small amounts; stolen cards are used online, for much, at one merchant, now and then by honest people too."""
    draw, rows = random.Random(1), []
    for number in range(50 * DAYS):
        at = BEGIN + timedelta(seconds=draw.randrange(DAYS * 86_400))
        is_fraud = draw.random() < 0.03
        is_odd = is_fraud or draw.random() < 0.02
        rows.append(
            {
                "transaction_id": f"t{number}",
                "user_id": f"u{number % 50}",
                "amount": f"{draw.lognormvariate(6 if is_odd else 3, 0.5):.2f}",
                "timestamp": at.isoformat(),
                "merchant_id": "shady" if is_odd else f"m{draw.randrange(20)}",
                "channel": "online" if is_odd else draw.choice(["pos", "online"]),
                "is_fraud": int(is_fraud),
            }
        )
    return sorted(rows, key=lambda row: row["timestamp"])


def _is_before(day: datetime) -> Callable[[Row], bool]:
    return lambda row: datetime.fromisoformat(row["timestamp"]) < day


def _train(folder: Path, rows: Iterable[Row], *more: str, until: str = UNTIL) -> bytes:
    folder.mkdir()
    rows = list(rows)
    with (folder / "payments.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "map.yaml").write_text(MAPPING)
    out = folder / "m.json"
    files = ["--data", str(folder / "payments.csv"), "--map", str(folder / "map.yaml"), "--out", str(out)]
    python = [
        "--python",
        str(ROOT / ".venv-train" / "bin" / "python"),
        "--rules",
        str(ROOT / "rules" / "default.yaml"),
    ]
    main([*files, *python, "--until", until, *more])
    return out.read_bytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A folder of a training, and the model that it made."""
    folder = tmp_path_factory.mktemp("training") / "first"
    return folder, _train(folder, _rows())


@pytest.fixture(scope="module")
def model(trained: tuple[Path, bytes]) -> Model:
    return read_model(trained[1], "m.json")


def test_the_same_data_give_the_same_bytes(trained: tuple[Path, bytes], tmp_path: Path) -> None:
    again = _train(tmp_path / "again", _rows())

    assert again == trained[1]


def test_a_model_as_of_a_time_is_the_same_without_what_came_later(
    trained: tuple[Path, bytes], tmp_path: Path
) -> None:
    until = datetime(2025, 2, 5, tzinfo=UTC)

    without = _train(tmp_path / "without", filter(_is_before(until), _rows()))

    assert without == trained[1]


def test_a_model_as_of_a_time_is_the_same_whatever_later_labels_say(
    trained: tuple[Path, bytes], tmp_path: Path
) -> None:
    known = _is_before(datetime(2025, 2, 5, tzinfo=UTC) - timedelta(days=7))

    other = _train(
        tmp_path / "other", ({**row, "is_fraud": row["is_fraud"] if known(row) else 0} for row in _rows())
    )

    assert other == trained[1]


def test_another_label_that_was_known_gives_another_model(
    trained: tuple[Path, bytes], tmp_path: Path
) -> None:
    rows = _rows()
    first_fraud = next(
        place for place, row in enumerate(rows) if row["is_fraud"] and row["timestamp"] > "2025-01-10"
    )
    rows[first_fraud]["is_fraud"] = 0

    assert _train(tmp_path / "other", rows) != trained[1]


def test_the_document_says_what_it_was_made_from(model: Model) -> None:
    training = model.document.training

    assert training.labels_until == "2025-02-05T00:00:00.000000Z"
    assert training.first >= "2025-01-01T00:00"
    assert training.last < "2025-01-29T00:00"
    assert training.frauds > 20
    assert 1_000 < training.payments < 50 * DAYS


def test_more_reported_fraud_never_lowers_the_probability(model: Model) -> None:
    directions = {each.name: each.direction for each in model.document.features}

    assert {directions[name] for name in directions if name.endswith("_frauds_30d")} <= {1}


def test_the_card_says_what_it_is_for_and_how_good_it_is(trained: tuple[Path, bytes]) -> None:
    card = (trained[0] / "m.md").read_text()

    for heading in (
        "What it is for",
        "What it was made from",
        "In a ruleset",
        "Weeks after the training",
        "Limits",
    ):
        assert f"## {heading}" in card
    assert "It must not be used to judge a person" in card
    assert (trained[0] / "m.svg").read_text().startswith("<?xml")


def test_too_little_fraud_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"0 frauds are known; at least 20 are needed"):
        _train(tmp_path / "honest", ({**row, "is_fraud": 0} for row in _rows()[:500]))


def test_days_without_payments_end_the_command_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no payments from 2019-12-28T00:00Z to 2020-01-25T00:00Z"):
        _train(tmp_path / "early", _rows()[:10], until="2020-01-31")


def test_a_missing_environment_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere: No such file or directory; `make train` sets it up"):
        _train(tmp_path / "nowhere", _rows(), "--python", "nowhere")
