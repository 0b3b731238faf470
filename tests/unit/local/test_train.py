"""`make train` without a file reads the running stack's tables as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from local.train import ScannedTables, main
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_every_row_of_a_table_is_read_and_named_by_its_place(aws: Callable[[str], Any]) -> None:
    dynamodb = aws("dynamodb")
    for table, sort_key in (("transaction_history", "event_key"), ("labels", "label_key")):
        make_table(dynamodb, table)
        for number in range(3):
            row = {"user_id": {"S": f"{table}-{number}"}, sort_key: {"S": "k"}, "features": {"B": b"\x00"}}
            dynamodb.put_item(TableName=table, Item=row)
    tables = ScannedTables(dynamodb, {"transaction_history": "transaction_history", "labels": "labels"})

    history, labels = list(tables.history()), list(tables.labels())

    assert {row.item["user_id"]["S"] for row in history} == {f"transaction_history-{n}" for n in range(3)}
    assert {row.item["user_id"]["S"] for row in labels} == {f"labels-{n}" for n in range(3)}
    assert [row.place for row in labels] == ["labels, row 1", "labels, row 2", "labels, row 3"]
    assert history[0].item["features"]["B"] == b"\x00"


def test_without_a_running_stack_the_command_ends_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no stack is up in .*; `make up` starts one"):
        main(["--build-dir", str(tmp_path)])
