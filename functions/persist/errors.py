"""The errors of the persist stage."""

from __future__ import annotations

from common.errors import StageError


class KeyTakenError(StageError):
    """Every key under which a flagged payment could be stored holds another payment.

    Parameters
    ----------
    position : str
        The payment in Kafka, ``topic/partition/offset``.
    """

    is_of_the_record = True

    def __init__(self, position: str) -> None:
        super().__init__(
            f"flagged_transactions.transaction_id: every key of {position} holds another payment"
        )
        self.position = position
