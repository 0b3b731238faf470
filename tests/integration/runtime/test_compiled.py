"""The score stage's zip decides as the tree does: with its compiled modules, and without them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from local.runtime.package import unpack
from ops.manifests import FUNCTIONS_DIR, ROOT
from ops.packaging.functions import build_zip
from ops.packaging.pythons import local_runtime
from simulator import SimulationConfig, simulate

PAYMENTS = 3_000
SEED = int(os.environ.get("SEED", "4171"))


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Payments of few users, so that rings and buckets are full, with the simulator's fraud among them."""
    config = SimulationConfig(
        seed=SEED, users=40, transactions=PAYMENTS, ends_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    file = tmp_path_factory.mktemp("payments") / "payments.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(each.record) for each in simulate(config)))
    return file


def _decided(python: Path, packages: Path, payments: Path) -> list[str]:
    command = [str(python), "-P", str(ROOT / "tests" / "support" / "deciding.py")]
    command += [str(ROOT / "rules" / "default.yaml"), str(payments)]
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.skipif(
    shutil.which("cc") is None, reason="this machine has no C compiler; the zip has Python alone"
)
def test_a_zip_decides_as_the_tree_does_compiled_or_not(payments: Path, tmp_path: Path) -> None:
    root = unpack(build_zip("score"), tmp_path)
    of_tree, _ = _decided(Path(sys.executable), FUNCTIONS_DIR, payments)

    compiled, file = _decided(local_runtime()[0], root, payments)
    for library in (root / "engine").rglob("*.so"):
        library.unlink()
    plain, source = _decided(local_runtime()[0], root, payments)

    assert (Path(file).suffix, Path(source).suffix) == (".so", ".py"), f"SEED={SEED}"
    assert compiled == of_tree, f"SEED={SEED}"
    assert plain == of_tree, f"SEED={SEED}"
