from __future__ import annotations

import io
from itertools import count

from lab.progress import LINE_SECONDS, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, things: int, step_s: float) -> str:
    clock = (number * step_s for number in count())
    passed = list(Progress(out, monotonic=clock.__next__).counted(range(things), "read"))

    assert passed == list(range(things))
    return out.getvalue()


def test_a_line_that_stays_is_written_only_now_and_then() -> None:
    text = shown(io.StringIO(), things=2_560, step_s=LINE_SECONDS / 2)

    assert text.splitlines() == [
        "512 read, 17 a second", "1,024 read, 17 a second", "1,536 read, 17 a second", "2,048 read, 17 a second",
        "2,560 read, 17 a second", "2,560 read in 165.0 s",
    ]  # fmt: skip


def test_a_terminals_line_is_written_over_until_the_last() -> None:
    text = shown(Terminal(), things=600, step_s=1.0)

    assert text == "\r\x1b[K256 read, 256 a second\r\x1b[K512 read, 256 a second\r\x1b[K600 read in 3.0 s\n"


def test_what_is_over_at_once_shows_nothing() -> None:
    assert shown(io.StringIO(), things=2_560, step_s=0.001) == ""
    assert shown(io.StringIO(), things=0, step_s=1.0) == ""
