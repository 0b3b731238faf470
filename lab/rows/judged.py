"""A stored payment on which was decided again."""

from __future__ import annotations

from typing import Final

import msgspec

from contract.scored import ScoredTransaction
from engine.decided import Assessment, DecidedAgain
from engine.profile.fingerprints import key_hash
from lab.rows.truth import Finding

VALUE_SCALE: Final = 10_000
"""Money is added up in ten-thousandths, as features are rounded: whole numbers have the same sum in any order."""


class JudgedRow(msgspec.Struct, frozen=True):
    """One stored payment, what was decided about it then, and what is decided again."""

    row: ScoredTransaction
    stored: Assessment
    """What was decided then; of the points the row holds the score, 0 to 100."""
    again: DecidedAgain
    finding: Finding
    """What the payment was."""

    @property
    def value(self) -> int:
        """The amount in ten-thousandths of the base currency; 0 where it was not known."""
        return round(float(self.again.features["amount_base"]) * VALUE_SCALE)

    @property
    def user_hash(self) -> int:
        """64 bits in place of the user's id."""
        return key_hash(self.row.transaction.user_id)
