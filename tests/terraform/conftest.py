"""What holds for every test of the infrastructure: Terraform on the path, and an emulator that answers for AWS."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.processes import ManagedProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA_VENV = REPOSITORY / ".venv-infra"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "life_cycle: the whole life of an environment on the emulator, in minutes"
    )


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def infra_tools() -> Path:
    """Programs of the checks' own environment: checkov, the workflow linters."""
    return INFRA_VENV / "bin"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[str]":
    """URL of an emulator of one's own, empty."""
    port = free_port()
    process = ManagedProcess(
        name="AWS emulator",
        argv=[str(INFRA_VENV / "bin/python"), "-m", "tests.terraform.emulator", "--port", str(port)],
        log=tmp_path_factory.mktemp("emulator") / "log",
        environment=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        folder=REPOSITORY,
    )
    process.start()
    try:
        process.wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop()
