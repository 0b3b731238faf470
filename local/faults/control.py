"""Controls the processes of one function while they run: their clock, their disk, and when the mapping stops waiting for them.

The control is a file that all of them map into memory, so that reading it costs nothing and a change takes effect at once.
"""

from __future__ import annotations

import mmap
import shutil
import struct
from pathlib import Path
from typing import Final

HOST: Final = Path(__file__).resolve().parent / "host" / "sitecustomize.py"

_SIZE: Final = 40
_CLOCK_OFFSET_NS, _DISK_IS_FULL, _DISK_REFUSALS, _ABANDON_CALLS, _ABANDONED = range(0, _SIZE, 8)


class Control:
    """The control file of one event source mapping and its function.

    Parameters
    ----------
    folder : Path
        Goes onto the import path of the function's processes. The file and `sitecustomize.py` are created in it if they are
        missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "control"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOST, folder)
            file.write_bytes(bytes(_SIZE))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 0)

    def set_clock(self, offset_seconds: float) -> None:
        """Set the wall clock of all the function's processes to this offset from the true time."""
        self._write(_CLOCK_OFFSET_NS, round(offset_seconds * 1e9))

    def fill_disk(self, is_full: bool) -> None:
        """Forbid all processes of the function that start from now on to write to files, or allow it again."""
        self._write(_DISK_IS_FULL, int(is_full))

    @property
    def disk_refusals(self) -> int:
        """Number of processes that have found their disk full."""
        return self._read(_DISK_REFUSALS)

    def abandon(self) -> None:
        """Have the mapping stop waiting for the invocations in progress, as at their time-out; the function continues."""
        self._write(_ABANDON_CALLS, self.abandon_calls + 1)

    @property
    def abandon_calls(self) -> int:
        """Number of calls of :meth:`abandon`."""
        return self._read(_ABANDON_CALLS)

    @property
    def abandoned(self) -> int:
        """Abandoned invocations that have not ended yet. Only the mapping's process sets this."""
        return self._read(_ABANDONED)

    @abandoned.setter
    def abandoned(self, count: int) -> None:
        self._write(_ABANDONED, count)

    def _read(self, place: int) -> int:
        value: int = struct.unpack_from("<q", self._memory, place)[0]
        return value

    def _write(self, place: int, value: int) -> None:
        struct.pack_into("<q", self._memory, place, value)
