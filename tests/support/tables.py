"""The system's tables, created from ``tables.yaml`` in anything with DynamoDB's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.provision import table_request
from ops.manifests import read_tables

if TYPE_CHECKING:
    from collections.abc import Callable


def make_table(client: Any, interface_name: str, name: Callable[[str], str] = str) -> str:
    """Create one table.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    interface_name : str
        Its name in ``tables.yaml``.
    name : Callable
        Converts that to the table's name; the same by default.

    Returns
    -------
    str
        Its name.
    """
    table_name = name(interface_name)
    client.create_table(**table_request(table_name, read_tables()[interface_name]))
    client.get_waiter("table_exists").wait(TableName=table_name, WaiterConfig={"Delay": 1})
    return table_name
