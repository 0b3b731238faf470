"""An export is read as a whole, or the file that prevents it is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.exports import EXPORTED_AT, write_export, write_exports
from training.errors import TrainingError
from training.export import ExportedTables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from training.tables import StoredRow


def _rows(count: int, of: str = "h") -> list[dict[str, Any]]:
    return [{"user_id": {"S": f"{of}{number}"}} for number in range(count)]


def _users(rows: Iterable[StoredRow]) -> set[str]:
    return {stored.item["user_id"]["S"] for stored in rows}


def test_all_rows_of_both_tables_are_read_as_often_as_needed(tmp_path: Path) -> None:
    tables = ExportedTables(write_exports(tmp_path, _rows(5), _rows(2, "l")))

    assert [_users(tables.history()) for _ in range(2)] == [{"h0", "h1", "h2", "h3", "h4"}] * 2
    assert _users(tables.labels()) == {"l0", "l1"}


def test_the_table_is_the_one_that_the_manifest_names(tmp_path: Path) -> None:
    write_exports(tmp_path, _rows(1), _rows(1, "l"))
    write_export(tmp_path, "fraud-dev-pending_labels", _rows(1, "p"), "03000")

    tables = ExportedTables(tmp_path)

    assert _users(tables.labels()) == {"l0"}


def test_several_exports_of_the_history_are_read_one_after_the_other(tmp_path: Path) -> None:
    write_exports(tmp_path / "new", _rows(2), _rows(1, "l"))
    write_export(tmp_path / "old", "fraud-dev-transaction_history", _rows(3))

    users = [stored.item["user_id"]["S"] for stored in ExportedTables(tmp_path).history()]

    assert sorted(users) == ["h0", "h0", "h1", "h1", "h2"]


def test_rows_of_both_tables_are_there_until_the_earlier_of_the_latest_exports(tmp_path: Path) -> None:
    write_export(tmp_path, "transaction_history", [], "1")
    write_export(tmp_path, "transaction_history", [], "2", exportTime="2026-04-01T00:00:00Z")
    write_export(tmp_path, "labels", [], "3", exportTime="2026-05-01T00:00:00Z")

    assert ExportedTables(tmp_path).exported_at == datetime(2026, 5, 1, tzinfo=UTC) < EXPORTED_AT


def test_a_row_is_named_by_its_file_and_its_place_in_it(tmp_path: Path) -> None:
    tables = ExportedTables(write_exports(tmp_path, _rows(3), []))

    last = [stored.place for stored in tables.history()][-1]

    assert last == f"{tmp_path}/AWSDynamoDB/01000/data/part-1.json.gz, row 1"


@pytest.mark.parametrize("missing", ["transaction_history", "labels"])
def test_a_folder_without_an_export_of_a_table_is_refused(tmp_path: Path, missing: str) -> None:
    (there,) = {"transaction_history", "labels"} - {missing}
    write_export(tmp_path, there, [])

    with pytest.raises(
        TrainingError, match=rf"has no export of {missing}: a folder with manifest-summary\.json"
    ):
        ExportedTables(tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"outputFormat": "ION"},
            "an export of type FULL_EXPORT in ION; a FULL_EXPORT in DYNAMODB_JSON is needed",
        ),
        (
            {"exportType": "INCREMENTAL_EXPORT"},
            "an export of type INCREMENTAL_EXPORT in DYNAMODB_JSON; a FULL_EXPORT",
        ),
        (
            {"exportTime": None},
            r"no summary of an export: Expected `datetime`, got `null` - at `\$.exportTime`",
        ),
    ],
)
def test_an_export_of_another_kind_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    write_export(tmp_path, "labels", [], **changes)

    with pytest.raises(TrainingError, match=rf"manifest-summary\.json: {problem}"):
        ExportedTables(tmp_path)


def _damage(export: Path, what: str) -> None:
    file = export / "data" / "part-1.json.gz"
    match what:
        case "list":
            (export / "manifest-files.json").unlink()
        case "missing":
            file.unlink()
        case "cut off":
            file.write_bytes(file.read_bytes()[:-9])
        case "other bytes":
            data = bytearray(file.read_bytes())
            data[9] ^= 1  # the operating system in the head: read by nobody, and part of the sum
            file.write_bytes(data)
        case "a row less":
            lines = (export / "manifest-files.json").read_text().splitlines()
            changed = {**json.loads(lines[1]), "itemCount": 3}
            (export / "manifest-files.json").write_text(f"{lines[0]}\n{json.dumps(changed)}\n")
            summary = json.loads((export / "manifest-summary.json").read_text())
            (export / "manifest-summary.json").write_text(json.dumps(summary | {"itemCount": 5}))
        case "a file less":
            lines = (export / "manifest-files.json").read_text().splitlines()
            (export / "manifest-files.json").write_text(f"{lines[0]}\n")


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("list", r"manifest-files\.json: No such file or directory; the export is not complete"),
        ("missing", r"part-1\.json\.gz is missing; .*manifest-files\.json lists it"),
        ("cut off", r"part-1\.json\.gz: after row 2 it cannot be read"),
        ("other bytes", r"part-1\.json\.gz is damaged: its MD5 is not the manifest's"),
        ("a row less", r"part-1\.json\.gz has 2 rows; the manifest says 3"),
        ("a file less", r"manifest-files\.json lists 2 rows; the export has 4"),
    ],
)
def test_what_is_missing_or_damaged_is_named(tmp_path: Path, what: str, problem: str) -> None:
    write_exports(tmp_path, _rows(4), [])
    _damage(tmp_path / "AWSDynamoDB" / "01000", what)
    tables = ExportedTables(tmp_path)

    with pytest.raises(TrainingError, match=problem):
        list(tables.history())


def test_a_line_that_is_no_row_is_named_without_its_content(tmp_path: Path) -> None:
    rows: list[Any] = [{"user_id": {"S": "somebody"}}, "somebody"]
    tables = ExportedTables(write_exports(tmp_path, rows, []))

    with pytest.raises(TrainingError, match=r"part-1\.json\.gz, row 1: no line of a full export") as caught:
        list(tables.history())

    assert "somebody" not in str(caught.value)
