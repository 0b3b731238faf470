"""A proxy in front of the emulators that writes down each request as IAM's action and resource."""

from __future__ import annotations

import http.client
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from local.lambda_api import PATH_BEGIN, PATH_END

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REST_ACTIONS: Final = {
    ("POST", "configurationsessions"): "appconfig:StartConfigurationSession",
    ("GET", "configuration"): "appconfig:GetLatestConfiguration",
}

DEPLOYMENT_ACTIONS: Final = {
    ("GET", "deployments", False): "ListDeployments",
    ("GET", "deployments", True): "GetDeployment",
    ("POST", "deployments", False): "StartDeployment",
    ("DELETE", "deployments", True): "StopDeployment",
    ("POST", "hostedconfigurationversions", False): "CreateHostedConfigurationVersion",
    ("GET", "hostedconfigurationversions", True): "GetHostedConfigurationVersion",
}
"""AppConfig's operations by method, the collection in the path, and whether a number follows."""

OBJECT_ACTIONS: Final = {"PUT": "s3:PutObject", "GET": "s3:GetObject"}

Call = tuple[str, str, str, str]
"""IAM action, and its target: kind, interface name, and the key in a bucket or the index of a table (else empty)."""


@contextmanager
def recorder(target: str, buckets: Mapping[str, str], calls: set[Call]) -> Iterator[str]:
    """Run a proxy in front of ``target`` that adds every call to ``calls``; yields its URL."""
    place = urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.update(calls_of(self.command, self.path, dict(self.headers.items()), body, buckets))
            connection = http.client.HTTPConnection(place.hostname or "", place.port)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def calls_of(
    method: str, path: str, headers: dict[str, str], body: bytes, buckets: Mapping[str, str]
) -> set[Call]:
    """Translate a request into IAM's actions and resources.

    Parameters
    ----------
    method, path : str
        Of the HTTP request.
    headers : dict[str, str]
        Its headers.
    body : bytes
        Its content.
    buckets : Mapping[str, str]
        Interface name of each bucket.

    Returns
    -------
    set[Call]
        Several for a request with several items or tables.

    Raises
    ------
    AssertionError
        For an unknown request, so that none is missed.
    """
    target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
    service, _, operation = target.partition(".")
    place = urlsplit(path)
    top, _, key = place.path.strip("/").partition("/")
    if service == "DynamoDB_20120810":
        return _dynamodb_calls(operation, json.loads(body))
    if service == "AmazonSQS":
        queue = json.loads(body)["QueueUrl"].rpartition("/")[2]
        return {(f"sqs:{operation.removesuffix('Batch')}", "queue", queue, "")}
    if method == "POST" and place.path.startswith(PATH_BEGIN):
        function = place.path.removeprefix(PATH_BEGIN).removesuffix(PATH_END)
        return {("lambda:InvokeFunction", "function", function, "")}
    if top == "applications" and (found := re.search(r"/([a-z]{6,})(?:/(\d+))?$", place.path)):
        action = DEPLOYMENT_ACTIONS[method, found[1], found[2] is not None]
        return {(f"appconfig:{action}", "rules", "deployments", "")}
    if (method, top) in REST_ACTIONS:
        return {(REST_ACTIONS[method, top], "rules", "ruleset", "")}
    if method == "POST" and (form := parse_qs(body.decode())).get("Action"):
        topic = form["TopicArn"][0].rpartition(":")[2].replace("-", "_")
        return {(f"sns:{form['Action'][0]}", "topic", topic, "")}
    if method in OBJECT_ACTIONS and top in buckets and key:
        is_locked = method == "PUT" and any(name.lower() == "x-amz-object-lock-mode" for name in headers)
        actions = [OBJECT_ACTIONS[method], *(["s3:PutObjectRetention"] if is_locked else [])]
        return {(action, "bucket", buckets[top], key) for action in actions}
    if method == "GET" and top in buckets and "list-type" in parse_qs(place.query):
        return {("s3:ListBucket", "bucket", buckets[top], "")}
    raise AssertionError(f"unknown request: {method} {path} {target}")


def _dynamodb_calls(operation: str, request: dict[str, Any]) -> set[Call]:
    if operation == "BatchExecuteStatement":
        found = set()
        for statement in request["Statements"]:
            verb, table = re.findall(r'^(INSERT|UPDATE)[^"]+"([^"]+)"', statement["Statement"])[0]
            found.add((f"dynamodb:PartiQL{verb.title()}", "table", table, ""))
        return found
    if operation == "TransactWriteItems":
        members = [(kind, member) for item in request["TransactItems"] for kind, member in item.items()]
        return {(f"dynamodb:{kind}Item", "table", member["TableName"], "") for kind, member in members}
    tables = request["RequestItems"] if operation.startswith("Batch") else [request["TableName"]]
    path = f"index/{request['IndexName']}" if "IndexName" in request else ""
    return {(f"dynamodb:{operation}", "table", table, path) for table in tables}
