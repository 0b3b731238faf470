"""An AWS account in memory, for code that lists resources and changes them by calls whose order matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


def managed(kind: str, **values: Any) -> dict[str, Any]:
    """A managed resource, as ``terraform show -json`` prints it."""
    return {"mode": "managed", "type": kind, "address": f"{kind}.this", "values": values}


class Account:
    """Every client of an account, and the calls that change something, in order."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = lists
        """By the key of the answer, such as ``JobRuns``; a run stops at once."""
        self.changes: list[tuple[str, Any]] = []
        self.never_stops = False
        """Whether runs stay as they are, stopped or not."""
        self.missing: set[str] = set()
        """Calls whose resource does not exist."""

    def __call__(self, service: str) -> Account:
        return self

    def get_paginator(self, call: str) -> Account:
        return self

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield dict(self.lists)

    def __getattr__(self, call: str) -> Any:
        def made(**parameters: Any) -> dict[str, Any]:
            if call in self.missing:
                raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, call)
            self.changes.append((call, parameters))
            if call == "batch_stop_job_run" and not self.never_stops:
                for run in self.lists["JobRuns"]:
                    run["JobRunState"] = "STOPPED"
            return (
                {"Errors": self.lists["Errors"]}
                if call == "delete_objects" and "Errors" in self.lists
                else {}
            )

        return made

    def calls(self) -> list[str]:
        """Names of the calls that changed something, in order."""
        return [call for call, _ in self.changes]
