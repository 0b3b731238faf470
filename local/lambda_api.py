"""Lambda's `Invoke` for functions of the local stack, over HTTP, for a function that invokes others.

Each function runs in a process of its own beside the one that its mapping feeds, and starts with its first invocation.

A request of the type `Event` is answered at once, and the function runs after that. One that fails is not tried again and not kept, as Lambda does for
a trigger with ``on_failure: discard``; of other functions such requests are refused, because nothing here would keep them.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Protocol, Self
from urllib.parse import unquote

from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from local.runtime.invocation import InvocationResult

PATH_BEGIN: Final = "/2015-03-31/functions/"
PATH_END: Final = "/invocations"

MAX_EVENT_BYTES: Final = 256 * 1024
"""Of an asynchronous request: Lambda's limit until 2025, and below its limit of now."""

_REFUSED: Final = "InvalidParameterValueException"


class Function(Protocol):
    """A function; :class:`local.runtime.pool.FunctionPool`."""

    def invoke(self, event: object) -> InvocationResult:
        """Run it once."""

    def stop(self) -> None:
        """End its processes."""


class LambdaApi:
    """Serves some functions on a port of this machine, until the end of its context.

    Parameters
    ----------
    functions : Mapping[str, Function]
        By the names under which they are invoked.
    discarding : Collection[str]
        Names of those whose asynchronous requests are neither tried again nor kept.
    report : Callable
        Gets a line for an asynchronous request that failed.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        discarding: Collection[str] = (),
        report: Callable[[str], object] = lambda line: print(line, file=sys.stderr, flush=True),
    ) -> None:
        self._functions = functions
        self._requests = _Requests(functions, report)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(functions, discarding, self._requests))
        self._thread = threading.Thread(target=self._server.serve_forever, name="lambda-api", daemon=True)

    @property
    def endpoint(self) -> str:
        """The value of AWS_ENDPOINT_URL_LAMBDA."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and end the functions' processes."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for function in self._functions.values():
            function.stop()
        self._requests.join()


class _Requests:
    """Asynchronous requests whose functions run."""

    def __init__(self, functions: Mapping[str, Function], report: Callable[[str], object]) -> None:
        self._functions = functions
        self._report = report
        self._lock = threading.Lock()
        self._running: set[threading.Thread] = set()

    def take(self, name: str, event: bytes) -> None:
        """Let a function run, without waiting for it."""
        thread = threading.Thread(target=self._run, args=(name, event), name=f"{name}-request", daemon=True)
        with self._lock:
            self._running.add(thread)
        thread.start()

    def join(self) -> None:
        """Wait for all; their functions are stopped."""
        with self._lock:
            running = [*self._running]
        for thread in running:
            thread.join()

    def _run(self, name: str, event: bytes) -> None:
        try:
            result = self._functions[name].invoke(event)
            if result.error is not None:
                self._report(f"{name}: {result.error.type}: {result.error.message}")
        except PoolStoppedError:
            self._report(f"{name}: an asynchronous request was not begun before the stack stopped")
        finally:
            with self._lock:
                self._running.discard(threading.current_thread())


def _handler(
    functions: Mapping[str, Function], discarding: Collection[str], requests: _Requests
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = unquote(self.path.removeprefix(PATH_BEGIN).removesuffix(PATH_END))
            if name not in functions:
                self._refuse(404, "ResourceNotFoundException", "no such function")
                return
            if self.headers.get("X-Amz-Invocation-Type", "RequestResponse") == "Event":
                self._take(name, body)
                return
            result = functions[name].invoke(body)
            error = {} if result.error is None else {"X-Amz-Function-Error": "Unhandled"}
            self._answer(200, result.payload or b"null", error)

        def _take(self, name: str, body: bytes) -> None:
            if name not in discarding:
                self._refuse(400, _REFUSED, f"{name} keeps failed requests, which is not done here")
            elif len(body) > MAX_EVENT_BYTES:
                self._refuse(413, "RequestEntityTooLargeException", f"more than {MAX_EVENT_BYTES} bytes")
            else:
                requests.take(name, body)
                self._answer(202, b"", {})

        def _refuse(self, status: int, error: str, message: str) -> None:
            self._answer(status, json.dumps({"Message": message}).encode(), {"x-amzn-errortype": error})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for header, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Log nothing: the functions' own logs say what they did."""

    return Handler
