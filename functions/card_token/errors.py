"""The errors of card_token. Lambda logs them and shows them to the caller: none holds a digit of the request."""

from __future__ import annotations

from common.errors import StageError


class RequestError(StageError):
    """A request that is not ``{"card_number": "..."}``."""

    def __init__(self) -> None:
        super().__init__('the request is {"card_number": "..."}, the number as text')


class NoCardNumberError(StageError):
    """Text that is no card number, for which the ingestion job would make no token either."""

    def __init__(self) -> None:
        super().__init__("card_number is no card number: 12 to 19 digits that pass Luhn's check")
