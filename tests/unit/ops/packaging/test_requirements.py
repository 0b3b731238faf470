"""Which libraries a Lambda runtime can load, and which installed files a zip leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.errors import BuildError
from ops.packaging.pruning import kept_files
from ops.packaging.requirements import check_symbols, install

if TYPE_CHECKING:
    from pathlib import Path


def _library(folder: Path, *symbols: str) -> None:
    (folder / "package").mkdir()
    (folder / "package" / "fast.so").write_bytes(b"\0" + "\0".join(symbols).encode() + b"\0")


def test_a_library_may_need_the_newest_symbols_of_the_runtime(tmp_path: Path) -> None:
    _library(tmp_path, "GLIBC_2.26", "GLIBCXX_3.4.24")

    check_symbols(tmp_path, "3.11")


@pytest.mark.parametrize(("needed", "has"), [("GLIBC_2.27", "2.26"), ("GLIBCXX_3.4.25", "3.4.24")])
def test_a_library_that_needs_a_newer_symbol_is_named(tmp_path: Path, needed: str, has: str) -> None:
    _library(tmp_path, "GLIBC_2.17", needed)

    with pytest.raises(
        BuildError, match=rf"^package/fast\.so needs {needed}; the python3\.11 runtime has {has}$"
    ):
        check_symbols(tmp_path, "3.11")


def test_an_unknown_runtime_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"python3\.9 is not one of 3\.11, 3\.12, 3\.13"):
        check_symbols(tmp_path, "3.9")


def test_a_requirement_without_a_hash_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("msgspec==0.20.0\n")

    with pytest.raises(BuildError, match=r"(?s)^requirements for host, Python 3\.11: .*msgspec"):
        install(tmp_path / "requirements.txt", tmp_path / "target", arch="host", python="3.11")


def test_of_botocore_only_the_services_in_use_and_what_it_always_reads_are_kept(tmp_path: Path) -> None:
    data = "botocore/data"
    kept = (f"{data}/endpoints.json", f"{data}/sns/2010/service-2.json", "botocore/client.py")
    dropped = (f"{data}/sqs/2012/service-2.json", f"{data}/sns/2010/examples-1.json", f"{data}/list.json")
    for path in kept + dropped:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    assert {path for _, path in kept_files(tmp_path, ["sns"])} == {*kept}


def test_what_no_code_reads_at_run_time_is_dropped(tmp_path: Path) -> None:
    kept = ("thing/code.py", "thing-1.0.dist-info/METADATA", "thing-1.0.dist-info/entry_points.txt")
    dropped = (
        "bin/thing",
        "thing/py.typed",
        "thing/code.pyi",
        "thing/tests/test_code.py",
        "thing-stubs/a.py",
    )
    for path in (*kept, *dropped, "thing-1.0.dist-info/RECORD"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    assert {path for _, path in kept_files(tmp_path, [])} == {*kept}


def test_parts_that_a_function_leaves_out_are_dropped(tmp_path: Path) -> None:
    for path in ("thing/used.py", "thing/unused.py", "thing/part/code.py", "thing/parts/code.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    kept = kept_files(tmp_path, [], ["thing/part", "thing/unused.py"])

    assert {path for _, path in kept} == {"thing/used.py", "thing/parts/code.py"}


def test_a_part_that_no_package_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"leave_out: thing/part is in no installed package"):
        list(kept_files(tmp_path, [], ["thing/part"]))
