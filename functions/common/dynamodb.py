"""What DynamoDB's refusals mean to whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_THROTTLED: Final = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}
)
_FIRST_SERVER_ERROR: Final = 500


def is_passing(error: ClientError) -> bool:
    """Whether asking again may help: DynamoDB throttles, which has a status as of the caller's fault, or is out of order."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _FIRST_SERVER_ERROR or error.response.get("Error", {}).get("Code") in _THROTTLED
