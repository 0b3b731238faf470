"""The contract's JSON Schemas, made from its structs: ``python -m contract.publish_schemas`` writes ``schemas/``.

They are for programs in other languages that produce to the topic, read a table or subscribe to alerts. ``--check`` writes
nothing, and fails if a file differs from the structs.
"""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from contract.alert import Alert, AlertClaim, AlertDigest, AlertTransaction, SuppressedPayments
from contract.flagged import FlaggedTransaction
from contract.history_detail import HistoryDetail, StoredVerdict
from contract.label import Label, LabelMessage
from contract.reason import Reason
from contract.ruleset_change import RulesetChange
from contract.scored import Decision
from contract.transaction import Location, Transaction

FOLDER: Final = Path(__file__).with_name("schemas")
"""Folder of the published schemas."""

_STRUCTS: Final[tuple[type[msgspec.Struct], ...]] = (
    Transaction,
    Location,
    HistoryDetail,
    StoredVerdict,
    Reason,
    FlaggedTransaction,
    AlertClaim,
    SuppressedPayments,
    Alert,
    AlertTransaction,
    AlertDigest,
    LabelMessage,
    Label,
    RulesetChange,
)
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, bytes]:
    """Make every schema.

    Returns
    -------
    dict[str, bytes]
        File name to JSON, the same bytes from the same structs.
    """
    documents: dict[str, dict[str, Any]] = {
        "transaction": _transaction(),
        "scored_transaction": _scored_transaction(),
        "flagged_transaction": _flagged_transaction(),
        "alert": msgspec.json.schema(Alert),
        "alert_digest": msgspec.json.schema(AlertDigest),
        "label_message": msgspec.json.schema(LabelMessage),
        "label": msgspec.json.schema(Label)
        | {"description": "A row of labels; numbers are of DynamoDB's type N."},
        "ruleset_change": msgspec.json.schema(RulesetChange)
        | {"description": "A row of ruleset_changes; numbers are of DynamoDB's type N."},
    }
    for document in documents.values():
        _describe(document["$defs"])
    return {
        f"{name}.schema.json": msgspec.json.format(
            msgspec.json.encode({"$schema": _DIALECT, "title": name} | document, order="deterministic"),
            indent=2,
        )
        + b"\n"
        for name, document in documents.items()
    }


def stale_files(folder: Path = FOLDER) -> list[str]:
    """Names of files in ``folder`` that are missing, too many, or not what the structs say."""
    made = schemas()
    found = {file.name: file.read_bytes() for file in folder.glob("*.json")}
    return sorted(name for name in made.keys() | found.keys() if made.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Bring ``folder`` up to date; a schema whose struct no longer exists is deleted."""
    folder.mkdir(exist_ok=True)
    made = schemas()
    for file in folder.glob("*.json"):
        if file.name not in made:
            file.unlink()
    for name, content in made.items():
        (folder / name).write_bytes(content)


def _transaction() -> dict[str, Any]:
    schema = msgspec.json.schema(Transaction)
    # Written as text, read from a number as well.
    schema["$defs"]["Transaction"]["properties"]["amount"] = {
        "anyOf": [{"type": "string", "format": "decimal"}, {"type": "number", "minimum": 0}]
    }
    # Decoding gives every payment one; a record may lack it.
    schema["$defs"]["Transaction"]["properties"]["currency"] = {"type": "string", "pattern": "^[A-Z]{3}$"}
    return schema


def _scored_transaction() -> dict[str, Any]:
    detail = msgspec.json.schema(HistoryDetail)
    definitions = detail.pop("$defs")
    text, count = {"type": "string"}, {"type": "integer", "minimum": 0}
    properties: dict[str, Any] = {
        "user_id": text,
        "event_key": {
            "type": "string",
            "description": "<timestamp, UTC, 27 characters>.<content mark>#<transaction_id>",
        },
        "decision": {"enum": [decision.value for decision in Decision]},
        "risk_score": count | {"maximum": 100},
        "position": {"type": "string", "description": "topic/partition/offset"},
        "ruleset_version": text,
        "scored_at_ms": count,
        "expires_at": count | {"description": "Seconds since the epoch."},
        "features": {
            "type": "string",
            "contentEncoding": "base64",
            "description": "MessagePack array in the order of the feature set; DynamoDB's type B.",
        },
        "detail": {"type": "string", "contentMediaType": "application/json", "contentSchema": detail},
        "transaction_id": text
        | {"description": "As in event_key; of rows that were stored before labels, missing."},
    }
    return {
        "description": "A row of transaction_history; numbers are of DynamoDB's type N.",
        "type": "object",
        "properties": properties,
        "required": sorted(properties.keys() - {"transaction_id"}),
        "$defs": definitions,
    }


def _flagged_transaction() -> dict[str, Any]:
    schema = msgspec.json.schema(FlaggedTransaction)
    definitions = schema["$defs"]
    definitions["FlaggedTransaction"]["properties"]["amount"] = {"type": "number", "minimum": 0}
    number = {"type": "number", "minimum": 0}
    definitions["FlaggedTransaction"]["properties"]["amount_base"] = {
        "anyOf": [number, {"type": "null"}],
        "default": None,
    }
    definitions["SuppressedPayments"]["properties"]["totals"]["additionalProperties"] = number
    return schema | {"description": "A row of flagged_transactions; numbers are of DynamoDB's type N."}


def _describe(definitions: dict[str, Any]) -> None:
    for definition in definitions.values():
        # Python keeps the indentation of a docstring up to 3.12, and the schema must not depend on it.
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    for struct in _STRUCTS:
        if struct.__name__ in definitions:
            definition = definitions[struct.__name__]
            definition["description"] = inspect.getdoc(struct)
            written_names = dict(zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True))
            for field, sentence in _field_sentences(struct).items():
                definition["properties"][written_names[field]]["description"] = sentence


def _field_sentences(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Sentences below a struct's fields; Python does not keep them at run time, so its source is read."""
    tree = ast.walk(ast.parse(inspect.getsource(struct)))
    body = next(node for node in tree if isinstance(node, ast.ClassDef)).body
    sentences = {}
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(sentence))):
                sentences[name] = inspect.cleandoc(sentence)
    return sentences


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the schemas, or check them with ``--check``; the exit code is 1 if one is stale."""
    if arguments == ["--check"]:
        stale = stale_files(folder)
        for name in stale:
            sys.stderr.write(
                f"{name} is not what the contract says; run python -m contract.publish_schemas\n"
            )
        return 1 if stale else 0
    write(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
