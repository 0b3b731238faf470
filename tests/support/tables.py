"""The system's tables, made as ``tables.yaml`` says, in whatever speaks DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.provision import table_request
from ops.manifests import read_tables

if TYPE_CHECKING:
    from collections.abc import Callable


def make_table(client: Any, interface_name: str, name: Callable[[str], str] = str) -> str:
    """Make one table.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    interface_name : str
        As ``tables.yaml`` names it.
    name : Callable
        Turns that into the name it gets; the same by default.

    Returns
    -------
    str
        Its name.
    """
    table_name = name(interface_name)
    client.create_table(**table_request(table_name, read_tables()[interface_name]))
    client.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
    return table_name
