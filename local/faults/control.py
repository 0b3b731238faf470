"""What a test tells the processes of one function while they run: their wall clock, their disk, when they are given up on.

It is a file that all of them map into memory, so that reading it costs nothing and a change is seen at once.
"""

from __future__ import annotations

import mmap
import shutil
import struct
from pathlib import Path
from typing import Final

HOST: Final = Path(__file__).resolve().parent / "host" / "sitecustomize.py"

_SIZE: Final = 40
_CLOCK_OFFSET_NS, _DISK_IS_FULL, _DISK_REFUSALS, _GIVE_UPS, _ABANDONED = range(0, _SIZE, 8)


class Control:
    """The control file of one mapping and its function.

    Parameters
    ----------
    folder : Path
        Goes onto the import path of the function's processes; the file and `sitecustomize.py` are made in it where they
        are not there yet.
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
        """Step the wall clock of all processes of the function to so much from the true one."""
        self._write(_CLOCK_OFFSET_NS, round(offset_seconds * 1e9))

    def fill_disk(self, is_full: bool) -> None:
        """Let no process of the function that starts from now on write to a file, or let them again."""
        self._write(_DISK_IS_FULL, int(is_full))

    @property
    def disk_refusals(self) -> int:
        """How many processes have found their disk full."""
        return self._read(_DISK_REFUSALS)

    def give_up(self) -> None:
        """Have the mapping give up on every invocation that is in progress, as at its time-out; the function goes on."""
        self._write(_GIVE_UPS, self.give_ups + 1)

    @property
    def give_ups(self) -> int:
        """How often :meth:`give_up` was called."""
        return self._read(_GIVE_UPS)

    @property
    def abandoned(self) -> int:
        """Invocations that were given up on and have not ended yet. Told by the mapping's process alone."""
        return self._read(_ABANDONED)

    @abandoned.setter
    def abandoned(self, count: int) -> None:
        self._write(_ABANDONED, count)

    def _read(self, place: int) -> int:
        value: int = struct.unpack_from("<q", self._memory, place)[0]
        return value

    def _write(self, place: int, value: int) -> None:
        struct.pack_into("<q", self._memory, place, value)
