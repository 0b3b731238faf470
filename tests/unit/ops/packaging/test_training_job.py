"""What a training job runs is complete, and made for the container that Terraform names."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

from ops.manifests import ROOT
from ops.packaging.training_job import PYTHON_VERSION, REQUIREMENTS, write_code

if TYPE_CHECKING:
    from pathlib import Path

PYTHON_OF_TAG: Final = {"1.9-0-cpu-py3": ("3.12", "1.9")}
"""Tag of AWS's image to its versions of Python and scikit-learn, as its sources say them: aws/deep-learning-containers, docker/sklearn."""


def _code(folder: Path) -> Path:
    installed = folder / "installed"
    installed.mkdir()
    (installed / "package.py").touch()
    write_code(folder / "code.zip", installed)
    return folder / "code.zip"


def test_the_zip_holds_the_training_what_it_imports_the_models_and_the_installed_packages(
    tmp_path: Path,
) -> None:
    names = zipfile.ZipFile(_code(tmp_path)).namelist()

    tops = {name.split("/")[0] for name in names}
    assert tops == {"contract", "engine", "lab", "simulator", "training", "models", "package.py"}
    assert {"models/default.json", "contract/tables.yaml"} <= set(names)


def test_a_training_starts_from_the_zip_alone(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    with zipfile.ZipFile(_code(tmp_path)) as archive:
        archive.extractall(folder)
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import training.__main__ as main; print(main.__file__); main.main(['--help'])"

    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, cwd=folder
    )

    assert done.stdout.startswith(str(folder))
    assert "--export" in done.stdout


def test_the_packages_are_for_the_python_of_the_image_that_terraform_names() -> None:
    module = (ROOT / "terraform/modules/training/main.tf").read_text()
    (tag,) = re.findall(r'image_tag = "([^"]+)"', module)
    locked = (ROOT / "requirements/train.txt").read_text()

    python, scikit_learn = PYTHON_OF_TAG[tag]
    assert python == PYTHON_VERSION
    assert re.search(rf"^scikit-learn=={re.escape(scikit_learn)}\.", locked, re.MULTILINE)


def test_numpy_and_scikit_learn_are_the_containers_own() -> None:
    locked = {line.split("==")[0] for line in REQUIREMENTS.read_text().splitlines() if "==" in line}

    assert {"msgspec", "pyyaml", "cel-expr-python", "matplotlib"} <= locked
    assert not locked & {"numpy", "scipy", "scikit-learn", "pandas"}


def test_a_package_has_the_version_that_the_rest_of_the_tree_has() -> None:
    versions = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE)
    )

    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE):
        assert versions[name] == version
