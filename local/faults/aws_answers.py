"""Errors and slow answers of AWS's services, in AWS's own wire form; for :attr:`local.proxy.aws.AwsProxy.fault`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from local.proxy.http import Answer, DisconnectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.proxy.aws import Call

_OK = 200


def throttled(call: Call) -> Answer:
    """A service's answer to too many calls."""
    names = {"dynamodb": "ProvisionedThroughputExceededException", "sns": "Throttled"}
    return _error(call, 400, names.get(call.service, "ThrottlingException"))


def internal_error(call: Call) -> Answer:
    """A 500."""
    return _error(call, 500, "InternalServerError" if call.service == "dynamodb" else "InternalFailure")


def refused(call: Call, code: str) -> Answer:
    """A 400 that no client tries again."""
    return _error(call, 400, code)


def slow(call: Call, forward: Callable[[Call], Answer], seconds: float) -> Answer:
    """Pass the call on after a wait."""
    time.sleep(seconds)
    return forward(call)


def written_but_unheard(call: Call, forward: Callable[[Call], Answer]) -> Answer:
    """Pass the call on, and close the connection instead of answering."""
    forward(call)
    raise DisconnectError


def half_unprocessed(call: Call, forward: Callable[[Call], Answer]) -> Answer:
    """Process every second statement or key of a batch, and throttle the others within the answer, as DynamoDB does."""
    request = msgspec.json.decode(call.body)
    if call.operation == "BatchExecuteStatement":
        return _half_of_the_statements(call, request, forward)
    if call.operation == "BatchGetItem":
        return _half_of_the_keys(call, request, forward)
    return forward(call)


def _half_of_the_statements(call: Call, request: dict[str, Any], forward: Callable[[Call], Answer]) -> Answer:
    done = forward(_changed(call, {**request, "Statements": request["Statements"][::2]}))
    if done.status != _OK:
        return done
    answer = msgspec.json.decode(done.body)
    throttling = {"Error": {"Code": "ThrottlingError", "Message": "Throughput exceeds the current capacity."}}
    answers = iter(answer["Responses"])
    answer["Responses"] = [
        throttling if place % 2 else next(answers) for place in range(len(request["Statements"]))
    ]
    return _with_json(done, answer)


def _half_of_the_keys(call: Call, request: dict[str, Any], forward: Callable[[Call], Answer]) -> Answer:
    [(table, keys)] = request["RequestItems"].items()
    if len(keys["Keys"]) < 2:
        return forward(call)
    half = {**request, "RequestItems": {table: {**keys, "Keys": keys["Keys"][::2]}}}
    done = forward(_changed(call, half))
    answer = msgspec.json.decode(done.body)
    answer["UnprocessedKeys"] = {table: {**keys, "Keys": keys["Keys"][1::2]}}
    return _with_json(done, answer)


def _changed(call: Call, request: dict[str, Any]) -> Call:
    return call.with_body(msgspec.json.encode(request))


def _with_json(answer: Answer, body: dict[str, Any]) -> Answer:
    # The checksum is of the body before.
    headers = [(name, value) for name, value in answer.headers if name.lower() != "x-amz-crc32"]
    return Answer(answer.status, headers, msgspec.json.encode(body))


def _error(call: Call, status: int, code: str) -> Answer:
    if call.service == "sns":
        text = (
            f"<ErrorResponse><Error><Type>{'Sender' if status < 500 else 'Receiver'}</Type><Code>{code}</Code>"
            "<Message>made by a test</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        )
        return Answer(status, [("Content-Type", "text/xml")], text.encode())
    body = msgspec.json.encode({"__type": f"com.amazonaws#{code}", "message": "made by a test"})
    return Answer(status, [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-ErrorType", code)], body)
