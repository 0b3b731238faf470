"""What a function's zip holds, with small functions without requirements; the real ones are built in the integration tests."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ops.errors import BuildError
from ops.manifests import ROOT, function_names
from ops.packaging import pythons
from ops.packaging.archive import TIMESTAMP
from ops.packaging.functions import build_zip

FUNCTION_YAML = """
description: test
handler: stage.handler.handler
packages: [%s]
runtime: python3.11
memory_mib: %d
timeout_seconds: 30
reserved_concurrency: 1
trigger: {type: invoke}
environment: {}
access: []
aws_services: [%s]
"""


def _function_yaml(*packages: str, memory_mib: int = 256, aws_services: str = "") -> str:
    return FUNCTION_YAML % (", ".join(packages), memory_mib, aws_services)


@pytest.fixture
def functions_dir(tmp_path: Path) -> Path:
    """A contract and two functions, beside things that belong in no zip."""
    root = tmp_path / "functions"
    for name in ("contract", "score", "alert"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(f'"""{name}."""\n')
    for name in ("score", "alert"):
        (root / name / "function.yaml").write_text(_function_yaml("contract", name))
        (root / name / "requirements.in").write_text("")
        (root / name / "requirements.txt").write_text("# nothing\n")
        (root / name / "handler.py").write_text(
            f"NAMES = {{'{name}', 'a', 'b'}}\n\n\ndef handler(e, c):\n    return e\n"
        )
    (root / "score" / "rules").mkdir()
    (root / "score" / "rules" / "default.yaml").write_text("version: 1\n")
    (root / "score" / ".hidden").write_text("x")
    (root / "score" / "__pycache__").mkdir()
    (root / "score" / "__pycache__" / "handler.cpython-39.pyc").write_bytes(b"old")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "stack.py").write_text("")
    return root


def _build(functions_dir: Path, name: str, build: str = "build") -> bytes:
    return build_zip(name, functions_dir=functions_dir, build_dir=functions_dir.parent / build).read_bytes()


def _entries(functions_dir: Path, name: str) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(
        build_zip(name, functions_dir=functions_dir, build_dir=functions_dir.parent / "build")
    ) as archive:
        return archive.infolist()


def test_two_builds_of_the_same_sources_are_byte_identical(functions_dir: Path) -> None:
    first = _build(functions_dir, "score", "one")
    for file in functions_dir.rglob("*"):
        os.utime(file, (1, 1))

    second = _build(functions_dir, "score", "two")

    assert first == second


def test_a_build_in_another_process_with_another_hash_seed_is_byte_identical(
    functions_dir: Path, tmp_path: Path
) -> None:
    here = _build(functions_dir, "score")
    program = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); from ops.packaging.functions import build_zip;"
        "build_zip('score', functions_dir=pathlib.Path(sys.argv[2]), build_dir=pathlib.Path(sys.argv[3]))"
    )
    root = Path(__file__).resolve().parents[4]

    subprocess.run(
        [sys.executable, "-c", program, str(root), str(functions_dir), str(tmp_path / "other")],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        check=True,
    )

    assert (tmp_path / "other" / "functions" / "host" / "score.zip").read_bytes() == here


def test_a_change_in_one_function_changes_only_its_zip(functions_dir: Path) -> None:
    before = {name: _build(functions_dir, name) for name in ("score", "alert")}

    (functions_dir / "score" / "handler.py").write_text("def handler(e, c):\n    return None\n")

    assert _build(functions_dir, "score") != before["score"]
    assert _build(functions_dir, "alert") == before["alert"]


def test_a_change_in_the_contract_changes_every_zip(functions_dir: Path) -> None:
    before = {name: _build(functions_dir, name) for name in ("score", "alert")}

    (functions_dir / "contract" / "transaction.py").write_text("MAX = 1\n")

    assert all(_build(functions_dir, name) != before[name] for name in before)


def test_a_change_in_what_is_not_code_of_the_function_changes_no_zip(functions_dir: Path) -> None:
    before = _build(functions_dir, "score")

    (functions_dir / "score" / "function.yaml").write_text(
        _function_yaml("contract", "score", memory_mib=512)
    )
    (functions_dir / "alert" / "handler.py").write_text("")

    assert _build(functions_dir, "score") == before


def test_a_zip_holds_the_function_and_the_contract_and_nothing_else(functions_dir: Path) -> None:
    names = [entry.filename for entry in _entries(functions_dir, "score")]

    assert [name for name in names if not name.endswith(".pyc")] == [
        "contract/__init__.py",
        "score/__init__.py",
        "score/handler.py",
        "score/rules/default.yaml",
    ]


def test_every_entry_has_the_same_time_and_mode(functions_dir: Path) -> None:
    entries = _entries(functions_dir, "score")

    assert {entry.date_time for entry in entries} == {TIMESTAMP}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_bytecode_is_used_without_checking_the_source(
    functions_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "LOCAL_RUNTIME", tmp_path)  # not set up: the zip is for this interpreter
    path = build_zip("score", functions_dir=functions_dir, build_dir=tmp_path / "build")
    with zipfile.ZipFile(path) as archive:
        bytecode = archive.read(importlib.util.cache_from_source("score/handler.py", optimization=""))

    assert bytecode[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(bytecode[4:8], "little") == 0b01  # PEP 552: hash-based, not checked
    namespace: dict[str, object] = {}
    exec(marshal.loads(bytecode[16:]), namespace)
    assert namespace["NAMES"] == {"score", "a", "b"}


def test_a_failed_build_leaves_the_last_zip_and_no_temporary_file(functions_dir: Path) -> None:
    before = _build(functions_dir, "score")
    (functions_dir / "score" / "function.yaml").write_text(
        _function_yaml("contract", "score", aws_services="dynamodb")
    )

    with pytest.raises(
        BuildError, match=r"score: function\.yaml: aws_services: botocore has no service 'dynamodb'"
    ):
        _build(functions_dir, "score")

    folder = functions_dir.parent / "build" / "functions" / "host"
    assert [file.name for file in folder.iterdir()] == ["score.zip"]
    assert (folder / "score.zip").read_bytes() == before


def test_an_unknown_function_is_named_with_the_known_ones(functions_dir: Path) -> None:
    with pytest.raises(BuildError, match="scores: no such function; there are alert, score"):
        _build(functions_dir, "scores")


def test_function_names_are_the_folders_with_a_function_yaml(functions_dir: Path) -> None:
    assert function_names(functions_dir) == ["alert", "score"]


def test_a_zip_carries_the_packages_that_function_yaml_lists_and_no_others(functions_dir: Path) -> None:
    (functions_dir / "checker").mkdir()
    (functions_dir / "checker" / "function.yaml").write_text(_function_yaml("contract", "score"))
    (functions_dir / "checker" / "requirements.txt").write_text("# nothing\n")

    names = {entry.filename for entry in _entries(functions_dir, "checker")}

    assert "score/handler.py" in names
    assert "contract/__init__.py" in names
    assert not any(name.startswith(("checker/", "alert/")) for name in names)


def test_a_missing_package_is_named(functions_dir: Path) -> None:
    (functions_dir / "alert" / "function.yaml").write_text(_function_yaml("contract", "scored"))

    with pytest.raises(
        BuildError, match=r"alert: function\.yaml: packages: functions/scored is no Python package"
    ):
        _build(functions_dir, "alert")


def test_a_mistake_in_function_yaml_is_named_with_its_file_and_place(functions_dir: Path) -> None:
    (functions_dir / "alert" / "function.yaml").write_text(_function_yaml("alert", memory_mib=1))

    with pytest.raises(BuildError, match=r"alert/function\.yaml: .* `\$\.memory_mib`"):
        _build(functions_dir, "alert")


def test_files_of_the_checkout_are_in_the_zip_at_the_same_paths(functions_dir: Path, tmp_path: Path) -> None:
    text = _function_yaml("contract", "score") + "files: [rules/default.yaml]\n"
    (functions_dir / "score" / "function.yaml").write_text(text)

    built = build_zip("score", functions_dir=functions_dir, build_dir=tmp_path / "build")

    with zipfile.ZipFile(built) as archive:
        assert archive.read("rules/default.yaml") == (ROOT / "rules" / "default.yaml").read_bytes()


def test_a_file_that_is_missing_is_named(functions_dir: Path, tmp_path: Path) -> None:
    text = _function_yaml("contract", "score") + "files: [rules/nowhere.yaml]\n"
    (functions_dir / "score" / "function.yaml").write_text(text)

    with pytest.raises(BuildError, match=r"score: function.yaml: files: rules/nowhere.yaml is no file"):
        build_zip("score", functions_dir=functions_dir, build_dir=tmp_path / "build")


def test_parts_of_our_own_packages_are_left_out_too(functions_dir: Path) -> None:
    manifest = functions_dir / "score" / "function.yaml"
    manifest.write_text(_function_yaml("contract", "score") + "leave_out: [score/rules]\n")

    names = {entry.filename for entry in _entries(functions_dir, "score")}

    assert "score/handler.py" in names
    assert not [name for name in names if name.startswith("score/rules")]


def test_a_part_of_ours_that_is_not_there_is_named(functions_dir: Path) -> None:
    manifest = functions_dir / "score" / "function.yaml"
    manifest.write_text(_function_yaml("contract", "score") + "leave_out: [score/models]\n")

    with pytest.raises(
        BuildError, match=r"score: function.yaml: leave_out: score/models is no part of functions/"
    ):
        _build(functions_dir, "score")


def test_a_zip_that_is_larger_than_its_function_may_be_is_not_built(functions_dir: Path) -> None:
    manifest = functions_dir / "score" / "function.yaml"
    manifest.write_text(_function_yaml("contract", "score") + "max_zip_bytes: 500\n")

    with pytest.raises(BuildError, match=r"score: the zip has [\d,]+ bytes; .*max_zip_bytes allows 500$"):
        _build(functions_dir, "score")
    assert not list(functions_dir.parent.rglob("score.zip"))
