"""A run that dies, or fails, at one of its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

PASSIVE: Final = frozenset({"exceptions", "meta", "get_paginator"})
"""Attributes of a client that are no calls."""


class Died(BaseException):
    """The process is gone: nothing in it catches this."""


class Calls:
    """Counts the calls of one run over all its clients, and does something at one of them.

    Parameters
    ----------
    at : int
        The call's place, from 0; -1 for none.
    act : Callable[[str], None]
        Gets the call's name.
    after : bool
        Whether the call is made first.
    """

    def __init__(self, at: int, act: Callable[[str], None], *, after: bool) -> None:
        self.names: list[str] = []
        self._at = at
        self._act = act
        self._after = after

    def seen_by(self, client: Any) -> Any:
        """A client whose calls are counted."""
        calls = self

        class Watched:
            def __getattr__(self, name: str) -> Any:
                real = getattr(client, name)
                if name in PASSIVE or not callable(real):
                    return real

                def call(*given: Any, **sent: Any) -> Any:
                    calls.names.append(name)
                    is_it = len(calls.names) - 1 == calls._at
                    if is_it and not calls._after:
                        calls._act(name)
                    answer = real(*given, **sent)
                    if is_it and calls._after:
                        calls._act(name)
                    return answer

                return call

        return Watched()


def die(_: str) -> None:
    """The process ends."""
    raise Died


def time_out(name: str) -> None:
    """No answer comes."""
    raise ReadTimeoutError(endpoint_url=name)


def throttle(name: str) -> None:
    """AWS refuses for now."""
    raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)
