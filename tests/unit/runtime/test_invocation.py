"""One request and its result."""

from __future__ import annotations

import json

from local.runtime.invocation import MAX_PAYLOAD_BYTES, FunctionError, Invocation, read_error


def _invocation() -> Invocation:
    return Invocation(b"{}", "arn:aws:lambda:us-east-1:000000000000:function:score", 3.0)


def test_only_the_first_answer_settles_an_invocation() -> None:
    invocation = _invocation()

    invocation.succeed(b"1")
    invocation.fail(FunctionError("Runtime.ExitError", "too late"))

    assert invocation.result(None).payload == b"1"
    assert invocation.result(None).error is None


def test_an_answer_over_6_mb_is_an_error() -> None:
    """Lambda quotas: "Invocation payload (request and response): 6 MB each for request and response (synchronous)"."""
    invocation = _invocation()

    invocation.succeed(b"x" * (MAX_PAYLOAD_BYTES + 1))

    error = invocation.result(None).error
    assert error is not None
    assert error.type == "Function.ResponseSizeTooLarge"


def test_an_error_of_the_runtime_keeps_its_document() -> None:
    document = json.dumps({"errorType": "ValueError", "errorMessage": "bad", "stackTrace": []}).encode()
    invocation = _invocation()

    invocation.fail(read_error(document, "Unhandled"), document)

    result = invocation.result(None)
    assert result.error == FunctionError("ValueError", "bad")
    assert result.payload == document


def test_an_error_document_that_is_no_json_is_the_message() -> None:
    assert read_error(b"boom", "Unhandled") == FunctionError("Unhandled", "boom")
