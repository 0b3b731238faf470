"""What labels say to one batch: risk of its entities and verdicts on its users' payments, as the cache's copies have them.

A copy that cannot be read counts as missing, and is counted. Without the cache there are none: payments are decided without risk, and
verdicts are applied by the next payments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.entity_ids import EntityKind
from engine.entities import risk
from engine.entities.risk import LEAST_USUAL_RATE, NO_RISKS, Risk, RiskFormatError, RiskReading
from engine.profile import verdict_list
from engine.profile.verdict_list import VerdictListFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cache.label_copies import LabelCopies
    from contract.entity_ids import EntityIds
    from contract.verdict import Verdict
    from engine.profile.verdict_list import ListedVerdict

_NO_RISK: Final[tuple[Risk | None, ...]] = (None,) * len(EntityKind)


class LabelWork:
    """A batch's labels.

    Attributes
    ----------
    unreadable : int
        Copies that could not be read.
    """

    def __init__(self) -> None:
        self._risks: dict[bytes, Risk] = {}
        self._verdicts: dict[str, tuple[ListedVerdict, ...]] = {}
        self._without_risk = NO_RISKS
        self.unreadable = 0

    def use(self, copies: LabelCopies) -> None:
        """Use what the cache holds."""
        for entity_id, value in copies.risks.items():
            try:
                self._risks[entity_id] = risk.from_bytes(value)
            except RiskFormatError:
                self.unreadable += 1
        for user_id, value in copies.verdicts.items():
            try:
                self._verdicts[user_id] = verdict_list.from_bytes(value)
            except VerdictListFormatError:
                self.unreadable += 1
        if copies.usual_rate is not None:
            self._without_risk = RiskReading(_NO_RISK, self._usual_rate(copies.usual_rate))

    def risks(self, ids: EntityIds) -> RiskReading:
        """What labels say of a payment's entities."""
        found = self._risks
        if not found:
            return self._without_risk
        risks = tuple([None if entity_id is None else found.get(entity_id) for entity_id in ids])
        return RiskReading(risks, self._without_risk.usual_rate)

    def verdicts(self, user_id: str, now: datetime) -> Sequence[Verdict]:
        """What people found about a user's payments, oldest first, as far as it teaches by now."""
        listed = self._verdicts.get(user_id, ())
        return verdict_list.taught(listed, now.timestamp()) if listed else ()

    def _usual_rate(self, text: bytes) -> float:
        try:
            rate = float(text)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            self.unreadable += 1
            return LEAST_USUAL_RATE
        return max(rate, LEAST_USUAL_RATE)
