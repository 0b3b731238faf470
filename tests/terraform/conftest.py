"""Fixtures of all infrastructure tests, and the life of one environment, which runs beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.processes import ManagedProcess, ProcessError
from tests.terraform import life_cycle

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA_VENV = REPOSITORY / ".venv-infra"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the life last, so that the others run meanwhile."""
    items.sort(key=_is_of_life)


def _is_of_life(item: pytest.Item) -> bool:
    return item.get_closest_marker("life_cycle") is not None


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def infra_tools() -> Path:
    """The programs of the checks' own Python environment: checkov, the workflow linters."""
    return INFRA_VENV / "bin"


@pytest.fixture(scope="session", autouse=True)
def one_provider(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the provider once; every other `terraform init` of the run links to it. A copy has 0.7 GB, and a life makes four."""
    if "TF_CLI_ARGS_init" in os.environ:  # make infra-test-fast has done so
        yield
        return
    # The folder is named .terraform so that a search for a mirror of providers skips it.
    data_dir = tmp_path_factory.mktemp("provider") / ".terraform"
    done = subprocess.run(
        ["terraform", f"-chdir={repository / 'terraform'}", "init", "-backend=false", "-input=false"],
        env=os.environ | {"TF_DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TF_CLI_ARGS_init", f"-plugin-dir={data_dir / 'providers'}")
        yield


@pytest.fixture(scope="session", autouse=True)
def life_under_way(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, one_provider: None
) -> Iterator[ManagedProcess | None]:
    """The life; it starts with the first infrastructure test. None if no test of it is selected."""
    if not any(_is_of_life(item) for item in request.session.items):
        yield None
        return
    folder = tmp_path_factory.mktemp("life")
    process = ManagedProcess(
        name="life of an environment",
        argv=[sys.executable, "-m", "tests.terraform.life_cycle", str(folder)],
        log=folder / "log",
        environment=os.environ | {"PYTHONPATH": f"{REPOSITORY / 'functions'}:{REPOSITORY}"},
        folder=REPOSITORY,
    )
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def life(life_under_way: ManagedProcess) -> life_cycle.Life:
    """The results of the one life, once it is over."""
    log = life_under_way.log
    try:
        life_under_way.wait_for_exit(life_cycle.LIFE_SECONDS)
    except ProcessError:
        pytest.fail(log.read_text()[-8000:])
    return life_cycle.read(log.parent)
