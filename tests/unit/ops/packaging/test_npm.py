"""Files of npm packages come from the lock alone, with the licences of their packages; nothing is fetched here."""

from __future__ import annotations

import json
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from ops.errors import BuildError
from ops.manifests import FUNCTIONS_DIR, read_functions
from ops.packaging import npm
from ops.packaging.functions import build_zip
from ops.packaging.npm import npm_sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INSTALL = """
import json, pathlib
assert json.loads(pathlib.Path("package-lock.json").read_text())["lockfileVersion"] == 3
folder = pathlib.Path("node_modules/atlas")
folder.mkdir(parents=True)
(folder / "package.json").write_text('{"version": "2.0.2", "license": "ISC"}')
(folder / "land.json").write_text("{}")
"""


@pytest.fixture
def function(tmp_path: Path) -> Path:
    folder = tmp_path / "functions" / "console"
    (folder / "npm").mkdir(parents=True)
    (folder / "npm" / "package.json").write_text("{}")
    (folder / "npm" / "package-lock.json").write_text('{"lockfileVersion": 3}')
    return folder


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in npm's place."""

    def install(code: str) -> None:
        monkeypatch.setattr(npm, "npm_command", lambda: [sys.executable, "-c", code])

    return install


def licensed(code: str = INSTALL) -> str:
    return code + '(folder / "LICENSE").write_text("Permission to use")\n'


def test_a_zip_has_the_files_and_their_licences_and_no_lock(
    function: Path, installer: Callable[[str], None]
) -> None:
    installer(licensed())
    (function / "__init__.py").write_text("")
    (function / "requirements.txt").write_text("# nothing\n")
    manifest = (FUNCTIONS_DIR / "topic_admin" / "function.yaml").read_text(encoding="utf-8")
    lines = [line for line in manifest.splitlines() if not line.startswith(("packages:", "files:"))]
    lines += ["packages: [console]", "npm_files: [atlas/land.json]"]
    (function / "function.yaml").write_text("\n".join(lines))

    target = build_zip("console", functions_dir=function.parent, build_dir=function.parent.parent / "build")

    with zipfile.ZipFile(target) as archive:
        names = [name for name in archive.namelist() if "/npm/" in name]
        notice = archive.read("console/static/npm/NOTICE").decode()
    assert names == ["console/static/npm/NOTICE", "console/static/npm/atlas/land.json"]
    assert notice == "atlas 2.0.2, ISC\n\nPermission to use\n"


def test_an_installation_is_made_once_for_each_lock(
    function: Path, tmp_path: Path, installer: Callable[[str], None]
) -> None:
    installer(licensed())
    first = npm_sources(function, ["atlas/land.json"], tmp_path)
    installer("raise SystemExit('called again')")

    assert npm_sources(function, ["atlas/land.json"], tmp_path) == first
    (function / "npm" / "package-lock.json").write_text('{"lockfileVersion": 3, "changed": true}')
    with pytest.raises(BuildError, match="npm ci failed: called again"):
        npm_sources(function, ["atlas/land.json"], tmp_path)


def test_a_file_that_no_package_has_is_named(
    function: Path, tmp_path: Path, installer: Callable[[str], None]
) -> None:
    installer(licensed())

    with pytest.raises(BuildError, match=r"npm_files: atlas/sea.json is no file"):
        npm_sources(function, ["atlas/sea.json"], tmp_path)


def test_a_package_without_a_licence_is_refused(
    function: Path, tmp_path: Path, installer: Callable[[str], None]
) -> None:
    installer(INSTALL)

    with pytest.raises(BuildError, match="atlas has no file with its licence"):
        npm_sources(function, ["atlas/land.json"], tmp_path)


def test_without_npm_a_sentence_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda _: None)

    with pytest.raises(BuildError, match="npm was not found"):
        npm.npm_command()


def test_the_locks_in_the_tree_have_hashes_and_no_addresses() -> None:
    for name, spec in read_functions().items():
        if not spec.npm_files:
            continue
        text = (FUNCTIONS_DIR / name / "npm" / "package-lock.json").read_text(encoding="utf-8")
        packages = {path: entry for path, entry in json.loads(text)["packages"].items() if path}
        assert "://" not in text
        assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
