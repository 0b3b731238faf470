"""How the demo ends: on its own, by an error, or by an interrupt."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from local.demo import __main__ as demo
from local.stack import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Puts back the handlers that the demo replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _interrupted_as(error: BaseException | None) -> Callable[..., bool]:
    """A run that a signal stops; a library turns the interrupt into ``error``."""

    def run(*_: object) -> bool:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.sigtimedwait([], 1)  # the handler runs before this returns
        except KeyboardInterrupt:
            if error is not None:
                raise error from None
            raise
        return True

    return run


@pytest.mark.parametrize(
    "error",
    [None, TypeError("expected configuration property name"), StackError("kafka ended")],
    ids=["as it is", "as a library's own error", "as a process that ended with it"],
)
def test_an_interrupted_demo_says_that_it_was_stopped(
    error: BaseException | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "run", _interrupted_as(error))

    status = demo.main(["--transactions", "1"])

    assert status == 130
    assert capsys.readouterr().err == "demo: stopped; everything it started has ended\n"


def test_an_error_that_is_expected_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> bool:
        raise StackError("kafka ended with status 1")

    monkeypatch.setattr(demo, "run", run)

    assert demo.main(["--transactions", "1"]) == 1
    assert capsys.readouterr().err == "demo: kafka ended with status 1\n"


def test_an_error_that_nobody_expected_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> bool:
        raise TypeError("a bug")

    monkeypatch.setattr(demo, "run", run)

    with pytest.raises(TypeError, match="a bug"):
        demo.main(["--transactions", "1"])


@pytest.mark.parametrize(("reconciled", "status"), [(True, 0), (False, 1)])
def test_the_status_says_whether_every_transaction_is_accounted_for(
    reconciled: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "run", lambda *_: reconciled)

    assert demo.main(["--transactions", "1"]) == status
