"""MiniStack with one patch: a PartiQL INSERT writes a stream record, as it does in AWS.

MiniStack 1.5.33 writes stream records for `PutItem`, `UpdateItem` and `DeleteItem` only, and the score stage inserts by
`BatchExecuteStatement`. This runs in the emulator's own environment, so it imports nothing of this project.
"""

from __future__ import annotations

import sys
from typing import Any

from ministack.app import main
from ministack.services import dynamodb

_OK = 200


def insert_with_stream_record(table: dict[str, Any], parsed: dict[str, Any]) -> Any:
    """Insert with MiniStack's own function, then write the stream record."""
    answer = _insert(table, parsed)
    if answer[0] == _OK:
        item = parsed["item"]
        dynamodb._emit_stream_event(
            parsed["table"], "INSERT", None, item["M"] if set(item) == {"M"} else item
        )
    return answer


_insert = dynamodb._partiql_insert
dynamodb._partiql_insert = insert_with_stream_record

if __name__ == "__main__":
    sys.exit(main())
