"""Runs a training in SageMaker's container: it unpacks the code beside it, and passes its arguments on to ``python -m training``.

The container has Python 3.12, numpy and scikit-learn, and no network. What else a training imports is in the zip. This file needs nothing but
the standard library, because it runs before the zip is unpacked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE: Final = "code.zip"
FAILURE: Final = Path("/opt/ml/output/failure")
"""What SageMaker shows as the reason of a failed job, up to 1,024 characters."""


def main(arguments: Sequence[str], here: Path, failure: Path = FAILURE) -> int:
    """Train; give the exit code of the training.

    Parameters
    ----------
    arguments : Sequence[str]
        Of ``python -m training``.
    here : Path
        Folder of :data:`CODE`.
    failure : Path
        Gets the last line that a failed training writes to standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(here / CODE) as archive:
            archive.extractall(folder)
        command = [sys.executable, "-m", "training", "--python", sys.executable, *arguments]
        last = "no message"
        with subprocess.Popen(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": folder}, stderr=subprocess.PIPE, text=True
        ) as training:
            for line in training.stderr or ():
                sys.stderr.write(line)
                last = line.strip() or last
    if training.returncode:
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(last, encoding="utf-8")
    return training.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
