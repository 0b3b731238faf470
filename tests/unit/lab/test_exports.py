"""Exports of tables are read as DynamoDB writes them to S3, and as they are written here."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from contract.exports import ExportError, read_item, read_summary
from contract.scored import from_history_item, to_history_item
from lab.exports import export_files, newest_export, read_export, write_export
from tests.support.payments import make_scored

if TYPE_CHECKING:
    from pathlib import Path

    from contract.items import Item

AT = datetime(2026, 11, 1, 3, tzinfo=UTC)

LINE_OF_DYNAMODB = b'{"Item":{"user_id":{"S":"u-1"},"features":{"B":"kwHCww=="},"risk_score":{"N":"85"},"event_key":{"S":"k"}}}\n'
"""As a full export has it."""

SUMMARY_OF_DYNAMODB = {
    "version": "2020-06-30",
    "exportArn": "arn:aws:dynamodb:eu-central-1:123456789012:table/transaction_history/export/01693685827463-2d8752fd",
    "startTime": "2026-11-01T03:00:27.463Z",
    "endTime": "2026-11-01T03:05:14.074Z",
    "tableArn": "arn:aws:dynamodb:eu-central-1:123456789012:table/transaction_history",
    "tableId": "12345a12-abcd-123a-ab12-1234abc12345",
    "exportTime": "2026-11-01T03:00:27.463Z",
    "s3Bucket": "a-bucket",
    "s3Prefix": "exports",
    "s3SseAlgorithm": "KMS",
    "s3SseKmsKeyId": None,
    "manifestFilesS3Key": "exports/AWSDynamoDB/01693685827463-2d8752fd/manifest-files.json",
    "billedSizeBytes": 53_427_343,
    "itemCount": 8,
    "outputFormat": "DYNAMODB_JSON",
    "exportType": "FULL_EXPORT",
}


def users(folder: Path) -> list[str]:
    return [item["user_id"]["S"] for item in read_export(folder)]


def made(*users: str) -> list[Item]:
    return [{"user_id": {"S": user}} for user in users]


def test_a_line_of_dynamodb_is_read_as_its_item() -> None:
    item = read_item(LINE_OF_DYNAMODB)

    assert item["features"] == {"B": "kwHCww=="}
    assert item["risk_score"] == {"N": "85"}


@pytest.mark.parametrize(
    "line", [b"", b"{", b'{"Keys":{},"NewImage":{}}', b'{"Item":{"user_id":"u-1"}}', b'{"Item":{"\xff":{}}}']
)
def test_a_line_of_another_form_is_refused_without_its_content(line: bytes) -> None:
    with pytest.raises(ExportError, match="no line of a full export") as caught:
        read_item(line)

    assert "u-1" not in str(caught.value)


def test_a_history_row_comes_back_exactly(tmp_path: Path) -> None:
    row = make_scored()

    write_export(tmp_path / "e", [to_history_item(row, 1_900_000_000)], AT)

    (item,) = read_export(tmp_path / "e")
    assert from_history_item(item) == row


def test_items_are_written_in_files_of_a_bounded_number_and_read_in_their_order(tmp_path: Path) -> None:
    summary = write_export(tmp_path / "e", made("a", "b", "c", "d", "e"), AT, items_a_file=2)

    assert summary.item_count == 5
    assert len(export_files(tmp_path / "e")) == 3
    assert users(tmp_path / "e") == ["a", "b", "c", "d", "e"]


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_export(tmp_path / name, made("a"), AT)

    assert (tmp_path / "one/data/00000.json.gz").read_bytes() == (
        tmp_path / "two/data/00000.json.gz"
    ).read_bytes()


def test_of_several_exports_below_a_prefix_the_newest_complete_one_is_read(tmp_path: Path) -> None:
    below = tmp_path / "exports/AWSDynamoDB"
    for number, export_time in ((1, "2026-09-01T03:00:27.463Z"), (2, "2026-11-01T03:00:27.463Z")):
        folder = below / f"0{number}"
        (folder / "data").mkdir(parents=True)
        (folder / f"data/{number}.json.gz").write_bytes(
            gzip.compress(LINE_OF_DYNAMODB.replace(b"u-1", b"u-%d" % number))
        )
        (folder / "manifest-summary.json").write_text(
            json.dumps(SUMMARY_OF_DYNAMODB | {"exportTime": export_time})
        )
    (below / "03/data").mkdir(parents=True)
    (below / "03/data/3.json.gz").write_bytes(b"is being written")

    assert newest_export(tmp_path / "exports") == below / "02"
    assert users(tmp_path / "exports") == ["u-2"]
    assert users(below / "01") == ["u-1"]


def test_files_of_items_without_a_summary_are_an_export_too(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(LINE_OF_DYNAMODB.replace(b"u-1", b"u-2"))
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(LINE_OF_DYNAMODB))

    assert users(tmp_path) == ["u-1", "u-2"]


def test_a_folder_without_an_export_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=f"^{tmp_path}: no complete export"):
        list(read_export(tmp_path))


def test_a_bad_line_is_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(LINE_OF_DYNAMODB + b"{}\n")

    with pytest.raises(ExportError, match=r"a\.json:2: no line of a full export"):
        list(read_export(tmp_path))


@pytest.mark.parametrize("keep", [20, -4])
def test_a_file_that_is_cut_off_is_refused_with_its_name(tmp_path: Path, keep: int) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(LINE_OF_DYNAMODB * 100)[:keep])

    with pytest.raises(ExportError, match=r"a\.json\.gz: damaged after line"):
        list(read_export(tmp_path))


@pytest.mark.parametrize("changes", [{"exportType": "INCREMENTAL_EXPORT"}, {"outputFormat": "ION"}])
def test_an_export_of_another_form_is_refused(changes: dict[str, str]) -> None:
    content = json.dumps(SUMMARY_OF_DYNAMODB | changes).encode()

    with pytest.raises(ExportError, match="FULL_EXPORT in DYNAMODB_JSON is needed"):
        read_summary(content, "s3://a/manifest-summary.json")


def test_a_summary_of_dynamodb_says_when_and_how_many() -> None:
    summary = read_summary(json.dumps(SUMMARY_OF_DYNAMODB).encode(), "a")

    assert (summary.export_time, summary.item_count) == ("2026-11-01T03:00:27.463Z", 8)
