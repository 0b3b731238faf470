"""Sets the wall clock and the disk of a function's process as the file `control` beside this one says.

Python imports a module of this name at its start, before the function. The functions do not know of it: `datetime.now` and
`time.time` return the host's clock, which can be set here. It imports nothing of this project, because a function's process
cannot. :mod:`local.faults.control` defines the file's layout.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import resource
import struct
import time
from datetime import datetime, timedelta, tzinfo

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_CLOCK_OFFSET_NS, _DISK_IS_FULL, _DISK_REFUSALS = 0, 8, 16
with open(os.path.join(_FOLDER, "control"), "r+b") as _file:
    _control = mmap.mmap(_file.fileno(), 0)


def _read(place: int) -> int:
    value: int = struct.unpack_from("<q", _control, place)[0]
    return value


def _set_clock() -> None:
    """Move every clock that Python code reads by the offset in the file at that moment."""
    own_time, own_time_ns, methods = time.time, time.time_ns, gc.get_referents(datetime.__dict__)[0]
    own_now, own_utcnow = methods["now"], methods["utcnow"]

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        at: datetime = own_now.__get__(None, cls)(tz)
        return at + timedelta(microseconds=_read(_CLOCK_OFFSET_NS) // 1000)

    def utcnow(cls: type[datetime]) -> datetime:
        at: datetime = own_utcnow.__get__(None, cls)()
        return at + timedelta(microseconds=_read(_CLOCK_OFFSET_NS) // 1000)

    time.time = lambda: own_time() + _read(_CLOCK_OFFSET_NS) / 1e9
    time.time_ns = lambda: own_time_ns() + _read(_CLOCK_OFFSET_NS)
    # A built-in type allows no assignment. Its own dictionary does, and modules that imported the type get the change too.
    methods["now"], methods["utcnow"] = classmethod(now), classmethod(utcnow)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))


def _fill_disk() -> None:
    """Have the kernel refuse every byte that this process writes to a file, and check that. Pipes and sockets still work."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    probe = os.path.join(_FOLDER, f"probe-{os.getpid()}")
    try:
        with open(probe, "wb", buffering=0) as file:
            file.write(b"?")
    except OSError:
        struct.pack_into("<q", _control, _DISK_REFUSALS, _read(_DISK_REFUSALS) + 1)
    os.unlink(probe)


_set_clock()
if _read(_DISK_IS_FULL):
    _fill_disk()
