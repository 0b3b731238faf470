"""A DynamoDB whose queries end a page early."""

from __future__ import annotations

from typing import Any


class SmallPages:
    """A client whose queries give two rows a page, as DynamoDB gives a mebibyte."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def query(self, **request: Any) -> Any:
        return self._client.query(**{"Limit": 2} | request)
