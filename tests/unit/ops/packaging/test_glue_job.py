"""The zips of the Glue jobs' own packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from ops.manifests import FUNCTIONS_DIR
from ops.packaging.glue_job import BACKTEST, PYTHON_VERSION, write_packages

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    write_packages(tmp_path / "one.zip")
    write_packages(tmp_path / "two.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_zip_holds_python_sources_and_not_the_build_itself(tmp_path: Path) -> None:
    write_packages(tmp_path / "packages.zip")

    names = zipfile.ZipFile(tmp_path / "packages.zip").namelist()
    assert {name.split("/")[0] for name in names} == {"contract", "glue_scripts"}
    assert all(name.endswith(".py") for name in names)


def test_the_row_cleaner_runs_from_the_zip_alone(tmp_path: Path) -> None:
    write_packages(tmp_path / "packages.zip")
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'packages.zip')!r}); import glue_scripts.rows as rows; print(rows.__file__)"

    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.startswith(str(tmp_path / "packages.zip"))


def test_the_backtest_runs_from_its_zip_alone(tmp_path: Path) -> None:
    write_packages(tmp_path / "packages.zip", BACKTEST)
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path / "packages.zip")!r})
import glue_scripts.backtest_rows
own = [module for name, module in sys.modules.items() if name.split(".")[0] in ("contract", "engine", "glue_scripts", "lab")]
print(*{{module.__file__.partition(".zip")[1] for module in own}}, len(own) > 60)
"""

    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == ".zip True\n"


def test_what_the_backtest_needs_is_locked_to_what_the_score_stage_runs() -> None:
    locked = {line for line in BACKTEST.requirements.read_text().splitlines() if "==" in line}
    of_score = (FUNCTIONS_DIR / "score" / "requirements.txt").read_text().splitlines()

    assert {line.partition("==")[0] for line in locked} == {"cel-expr-python", "msgspec", "pyyaml"}
    assert locked <= set(of_score)
    assert PYTHON_VERSION == "3.11"
