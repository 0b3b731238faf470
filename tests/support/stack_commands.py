"""The commands of the stack, as `make` runs them: each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")])}


def run(*argv: str, build_dir: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *argv, "--build-dir", str(build_dir)]
    return subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=180
    )
