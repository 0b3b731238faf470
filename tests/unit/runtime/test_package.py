"""Unpacking a zip."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from local.runtime.package import unpack

if TYPE_CHECKING:
    from pathlib import Path


def _zip(folder: Path, content: str) -> Path:
    file = folder / "score.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("score/handler.py", content)
    return file


def test_the_same_content_is_unpacked_once(tmp_path: Path) -> None:
    package = _zip(tmp_path, "A = 1")
    first = unpack(package, tmp_path / "run")
    (first / "mark").touch()

    second = unpack(package, tmp_path / "run")

    assert second == first
    assert (second / "mark").exists()
    assert (second / "score" / "handler.py").read_text() == "A = 1"


def test_another_content_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    first = unpack(_zip(tmp_path, "A = 1"), tmp_path / "run")

    second = unpack(_zip(tmp_path, "A = 2"), tmp_path / "run")

    assert {folder.name for folder in (tmp_path / "run").iterdir()} == {first.name, second.name}
    assert second.name.startswith("score-")
