"""How far a long run has come: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TextIO, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_T = TypeVar("_T")

TERMINAL_SECONDS: Final = 0.2
LINE_SECONDS: Final = 30.0
"""Between two lines where they stay: in a log, or in CI."""

_CHECKED: Final = 256
"""The clock is read once for so many things; a power of 2."""


class Progress:
    """Counts what passes through.

    Parameters
    ----------
    out : TextIO
        Usually stderr, so that the report alone goes to stdout.
    monotonic : Callable[[], float]
        A clock in seconds that never runs backwards.
    """

    def __init__(self, out: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._monotonic = monotonic
        self._is_terminal = out.isatty()
        self._pause_s = TERMINAL_SECONDS if self._is_terminal else LINE_SECONDS

    def counted(self, things: Iterable[_T], what: str) -> Iterator[_T]:
        """Pass things through, and say how many have come so far and how many a second.

        Parameters
        ----------
        things : Iterable
            Passed through in their order. Nothing is shown for what is over before the first line is due.
        what : str
            What has happened to them: ``read``, ``decided``.

        Yields
        ------
        object
            Each of the things.
        """
        began = last = self._monotonic()
        count = 0
        for count, thing in enumerate(things, 1):
            if count == 1:
                began = last = self._monotonic()  # sorting reads everything before it gives the first
            elif not count % _CHECKED and (now := self._monotonic()) - last >= self._pause_s:
                last = now
                self._show(f"{count:,} {what}, {count / (now - began):,.0f} a second")
            yield thing
        if last > began:
            self._show(f"{count:,} {what} in {self._monotonic() - began:,.1f} s", is_last=True)

    def _show(self, text: str, *, is_last: bool = False) -> None:
        if self._is_terminal:
            self._out.write(f"\r\x1b[K{text}{chr(10) if is_last else ''}")
        else:
            self._out.write(f"{text}\n")
        self._out.flush()
