"""The command of the ingestion job on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glue_scripts.arguments import parse_arguments
from local.ingestion import ingestion_command, mappings_dir_of

if TYPE_CHECKING:
    from pathlib import Path


def command(tmp_path: Path, mappings_dir: Path | None = None) -> list[str]:
    argv, _ = ingestion_command(
        "127.0.0.1:9092",
        "s3://landing/",
        "s3://quarantine/",
        tmp_path,
        "http://127.0.0.1:4566",
        mappings_dir=mappings_dir,
    )
    return argv


def test_the_job_is_given_the_folder_of_its_mappings(tmp_path: Path) -> None:
    arguments = parse_arguments(command(tmp_path, tmp_path / "my mappings")[2:])

    assert arguments.mappings_path == f"file://{tmp_path}/my mappings"


def test_without_mappings_the_job_is_given_none(tmp_path: Path) -> None:
    assert parse_arguments(command(tmp_path)[2:]).mappings_path is None


def test_the_folder_of_the_mappings_is_named_by_the_environment(tmp_path: Path) -> None:
    assert mappings_dir_of({"MAPPINGS": str(tmp_path)}) == tmp_path
    assert mappings_dir_of({"MAPPINGS": ""}) is None
    assert mappings_dir_of({}) is None
