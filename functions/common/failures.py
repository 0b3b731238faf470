"""How stages report what failed: one line, with the error and its place in the code, and without a value of a record."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from common.errors import StageError
from contract.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailureLog(Protocol):
    """Where failures are reported; Powertools' Logger."""

    def error(self, msg: object, *, extra: Mapping[str, object]) -> None:
        """Write one line with its fields."""
        ...


def describe_failure(error: BaseException) -> dict[str, object]:
    """Describe an error without a value of a record: messages of the SDK and of parsers may quote values.

    Parameters
    ----------
    error : BaseException
        Raised while a record was handled.

    Returns
    -------
    dict
        ``error`` and ``stack`` (places in the code, no messages), fields of a log line.
    """
    match error:
        case ContractError() | StageError():
            text = f"{type(error).__name__}: {error}"
        case ClientError():
            text = f"{error.operation_name}: {error.response.get('Error', {}).get('Code', 'unknown')}"
        case _:
            text = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": text, "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}
