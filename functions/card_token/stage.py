"""Makes the token of one card number, as the ingestion job makes it for the card field of a payment."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict

from botocore.config import Config

from card_token.errors import NoCardNumberError, RequestError
from contract.card_numbers import card_field_digits
from contract.card_tokens import KEY_DERIVATION_MESSAGE, CardTokens

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_CONFIG: Final = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3}
)
"""Three tries; then the person tries again."""


class Kms(Protocol):
    """The call that is made."""

    def generate_mac(self, *, KeyId: str, Message: bytes, MacAlgorithm: str) -> Mapping[str, Any]:  # noqa: N803
        """Compute the MAC of a message, ``Mac``."""
        ...


class TokenResponse(TypedDict):
    """The answer."""

    token: str
    """The value of ``card_id`` in a payment with this card; an entry of a list."""


class TokenMaker:
    """Answers requests with one key, which it derives at the first of them.

    Parameters
    ----------
    kms : Kms
        A client.
    key_arn : str
        The HMAC key's.
    """

    def __init__(self, kms: Kms, key_arn: str) -> None:
        self._kms = kms
        self._key_arn = key_arn

    def answer(self, request: object) -> TokenResponse:
        """Make the token of a request.

        Parameters
        ----------
        request : object
            ``{"card_number": "4111 1111 1111 1111"}``; the number in any spelling that the ingestion job knows.

        Raises
        ------
        RequestError
            Where it is something else.
        NoCardNumberError
            Where the text is no card number.
        ClientError
            If KMS refuses.
        """
        number = request.get("card_number") if isinstance(request, dict) else None
        if not isinstance(number, str):
            raise RequestError
        digits = card_field_digits(number)
        if digits is None:
            raise NoCardNumberError
        return {"token": self._tokens.token(digits)}

    @cached_property
    def _tokens(self) -> CardTokens:
        answer = self._kms.generate_mac(
            KeyId=self._key_arn, Message=KEY_DERIVATION_MESSAGE, MacAlgorithm="HMAC_SHA_256"
        )
        return CardTokens(bytes(answer["Mac"]))
