"""Parts of an invocation's trace, made only where X-Ray records it.

X-Ray's SDK makes a part of a trace that nobody records all the same, and without a trace it logs that it discards it: 15 to 20 µs each,
of which a batch has three and more.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from score.dynamo_wire import Trace

TRACE_VARIABLE: Final = "_X_AMZN_TRACE_ID"
"""Lambda sets it for each invocation."""
_IS_RECORDED: Final = "Sampled=1"


def recorded(trace: Trace, environ: Mapping[str, str]) -> Trace:
    """Limit ``trace`` to invocations that are recorded.

    Parameters
    ----------
    trace : Trace
        Makes a part of the trace, by its name.
    environ : Mapping[str, str]
        The process's environment, asked each time.
    """

    def traced(name: str) -> AbstractContextManager[object]:
        return trace(name) if _IS_RECORDED in environ.get(TRACE_VARIABLE, "") else nullcontext()

    return traced
