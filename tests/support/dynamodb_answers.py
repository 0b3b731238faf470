"""Answers to single DynamoDB requests below botocore: its own encoding, hooks and decoding take part, and no socket is opened.

Moto executes PartiQL without conditions: an UPDATE of a missing item succeeds, an INSERT overwrites. :func:`execute_statements` does
what DynamoDB does, for the forms of statement that our stores send. The same tests run on DynamoDB Local.
"""

from __future__ import annotations

import io
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
import msgspec
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.core.models import botocore_stubber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_INSERT: Final = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{((?:'\w+': \?(?:, )?)+)\}""")
_UPDATE: Final = re.compile(r"""UPDATE "([^"]+)" ((?:SET \w+ = \? )+)WHERE (.+)""")
_CONDITION: Final = re.compile(r"(\w+) (=|<=|>=) \?")


class _Raw(io.BytesIO):
    """A response's body as urllib3 gives it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def respond(status: int, document: object) -> AWSResponse:
    """DynamoDB's response with this document."""
    body = msgspec.json.encode(document)
    headers: Any = {"Content-Type": "application/x-amz-json-1.0"}
    raw: Any = _Raw(body)
    return AWSResponse("https://dynamodb", status, headers, raw)


class Answers:
    """Answers the requests of a client that moto does not see.

    Parameters
    ----------
    answer : Callable[[str, dict[str, Any]], AWSResponse]
        Makes the response to an operation and its request. It may raise botocore's errors.

    Attributes
    ----------
    client
        A boto3 DynamoDB client, shared by all: end one before the next begins.
    """

    def __init__(self, answer: Callable[[str, dict[str, Any]], AWSResponse]) -> None:
        self.client = _client_without_moto()
        self._answer = answer
        self.client.meta.events.register("before-send.dynamodb", self._take)

    def end(self) -> None:
        """Answer no more."""
        self.client.meta.events.unregister("before-send.dynamodb", self._take)

    def _take(self, event_name: str, request: Any, **_: object) -> AWSResponse:
        return self._answer(event_name.rpartition(".")[2], msgspec.json.decode(request.body))


@cache
def _client_without_moto() -> Any:
    # botocore tries once: a test that answers by an error sees one request for each call, and does not wait.
    client = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    moto: Any = botocore_stubber
    client.meta.events.unregister("before-send", moto)
    return client


def get_items(client: Any, request: dict[str, Any]) -> AWSResponse:
    """Answer a `BatchGetItem` from moto's tables."""
    answer = client.batch_get_item(**request)
    return respond(200, {name: answer[name] for name in ("Responses", "UnprocessedKeys")})


def execute_statements(client: Any, request: dict[str, Any]) -> AWSResponse:
    """Answer a `BatchExecuteStatement` on moto's tables, with conditions."""
    return respond(200, {"Responses": [_execute(client, statement) for statement in request["Statements"]]})


def _execute(client: Any, statement: dict[str, Any]) -> dict[str, Any]:
    text, parameters = statement["Statement"], [_decoded(each) for each in statement["Parameters"]]
    is_insert = text.startswith("INSERT")
    try:
        (_insert if is_insert else _update)(client, text, parameters)
    except client.exceptions.ConditionalCheckFailedException:
        return {"Error": {"Code": "DuplicateItem" if is_insert else "ConditionalCheckFailed"}}
    return {"TableName": "any"}


def _insert(client: Any, text: str, parameters: list[dict[str, Any]]) -> None:
    found = _INSERT.fullmatch(text)
    assert found, text
    item = dict(zip(re.findall(r"'(\w+)'", found[2]), parameters, strict=True))
    client.put_item(TableName=found[1], Item=item, ConditionExpression="attribute_not_exists(item_key)")


def _update(client: Any, text: str, parameters: list[dict[str, Any]]) -> None:
    found = _UPDATE.fullmatch(text)
    assert found, text
    changed = re.findall(r"SET (\w+)", found[2])
    (key, key_sign), *conditions = _CONDITION.findall(found[3])
    assert (key, key_sign) == ("item_key", "=")
    names = {f"#{place}": name for place, name in enumerate([*changed, *(name for name, _ in conditions)])}
    assert len(parameters) == len(changed) + 1 + len(conditions)
    key_value = parameters.pop(len(changed))
    first = len(changed)
    client.update_item(
        TableName=found[1],
        Key={"item_key": key_value},
        UpdateExpression="SET " + ", ".join(f"#{place} = :{place}" for place in range(first)),
        ConditionExpression=" AND ".join(
            ["attribute_exists(item_key)"]
            + [f"#{first + place} {sign} :{first + place}" for place, (_, sign) in enumerate(conditions)]
        ),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{place}": value for place, value in enumerate(parameters)},
    )


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """A value as boto3 takes it: bytes, where the wire has base64."""
    return {"B": msgspec.convert(value["B"], bytes)} if "B" in value else value
