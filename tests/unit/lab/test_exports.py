"""Exports of tables are read as DynamoDB writes them to S3, and as they are written here."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.exports import ExportedFile, ExportError, read_item, read_summary
from contract.scored import from_history_item, to_history_item
from lab.exports import write_export
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


def written_items(file: Path) -> list[Item]:
    return [read_item(line) for line in gzip.decompress(file.read_bytes()).splitlines()]


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

    write_export(tmp_path / "e", "transaction_history", [to_history_item(row, 1_900_000_000)], AT)

    (item,) = written_items(tmp_path / "e/data/00000.json.gz")
    assert from_history_item(item) == row


def test_items_are_in_files_of_a_bounded_number_in_their_order_and_the_manifests_say_so(
    tmp_path: Path,
) -> None:
    write_export(tmp_path / "e", "labels", made("a", "b", "c", "d", "e"), AT, items_a_file=2)

    files = [
        msgspec.json.decode(line, type=ExportedFile)
        for line in (tmp_path / "e/manifest-files.json").read_bytes().splitlines()
    ]
    paths = [tmp_path / file.data_file_s3_key for file in files]
    assert [[item["user_id"]["S"] for item in written_items(path)] for path in paths] == [
        ["a", "b"],
        ["c", "d"],
        ["e"],
    ]
    assert [file.item_count for file in files] == [2, 2, 1]
    assert [file.md5_checksum for file in files] == [
        b64encode(hashlib.md5(path.read_bytes()).digest()).decode() for path in paths
    ]
    summary = read_summary((tmp_path / "e/manifest-summary.json").read_bytes(), "e")
    assert (summary.item_count, summary.export_time) == (5, AT)
    assert summary.is_of("labels")


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one/e", "two/e"):
        write_export(tmp_path / name, "labels", made("a"), AT)

    for file in ("data/00000.json.gz", "manifest-files.json", "manifest-summary.json"):
        assert (tmp_path / "one/e" / file).read_bytes() == (tmp_path / "two/e" / file).read_bytes()


@pytest.mark.parametrize("changes", [{"exportType": "INCREMENTAL_EXPORT"}, {"outputFormat": "ION"}])
def test_an_export_of_another_form_is_refused(changes: dict[str, str]) -> None:
    content = json.dumps(SUMMARY_OF_DYNAMODB | changes).encode()

    with pytest.raises(ExportError, match="FULL_EXPORT in DYNAMODB_JSON is needed"):
        read_summary(content, "s3://a/manifest-summary.json")


def test_a_summary_of_dynamodb_says_when_and_how_many() -> None:
    summary = read_summary(json.dumps(SUMMARY_OF_DYNAMODB).encode(), "a")

    assert (summary.export_time, summary.item_count) == (AT + timedelta(seconds=27.463), 8)


@pytest.mark.parametrize(
    ("name", "is_history"),
    [
        ("transaction_history", True),
        ("fraud-prod-transaction_history", True),
        ("a_transaction_history", False),
        ("labels", False),
    ],
)
def test_an_export_is_known_by_its_tables_name_with_an_environments_prefix_or_without(
    name: str, is_history: bool
) -> None:
    arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{name}"
    summary = read_summary(json.dumps(SUMMARY_OF_DYNAMODB | {"tableArn": arn}).encode(), "a")

    assert summary.is_of("transaction_history") is is_history
