"""How stages talk to DynamoDB: time-outs and retries of the client, and which refusals are worth another try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.config import Config

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CLIENT_CONFIG: Final = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 4},
    tcp_keepalive=True,
)
"""For stages that read a stream: four tries with jitter, waiting at most about 7 s in all. Then the record fails and is
delivered again."""

TRANSACTION_CONFLICT: Final = "TransactionConflictException"
"""A single write was refused because a transaction is writing the row: the alert stage and the case stage write flagged rows so."""

_WORTH_ANOTHER_TRY: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        TRANSACTION_CONFLICT,
    }
)
_FIRST_SERVER_ERROR: Final = 500


def is_transient(error: ClientError) -> bool:
    """Whether another try may succeed: DynamoDB throttles, has a conflict (both status 400) or fails (500 and above)."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _FIRST_SERVER_ERROR or error.response.get("Error", {}).get("Code") in _WORTH_ANOTHER_TRY
