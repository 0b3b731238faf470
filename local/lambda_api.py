"""Lambda's `Invoke` for functions of the local stack, over HTTP, for a function that invokes others.

Each function runs in a process of its own beside the one that its mapping feeds, and starts with its first invocation.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Protocol, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.runtime.invocation import InvocationResult

PATH_BEGIN: Final = "/2015-03-31/functions/"
PATH_END: Final = "/invocations"


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
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(functions))
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


def _handler(functions: Mapping[str, Function]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = unquote(self.path.removeprefix(PATH_BEGIN).removesuffix(PATH_END))
            if name not in functions:
                self._answer(
                    404, b'{"Message": "no such function"}', {"x-amzn-errortype": "ResourceNotFoundException"}
                )
                return
            result = functions[name].invoke(body)
            error = {} if result.error is None else {"X-Amz-Function-Error": "Unhandled"}
            self._answer(200, result.payload or b"null", error)

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
