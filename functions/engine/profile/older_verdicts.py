"""Verdicts of which a profile does not remember whether it has applied them: its state says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.profile.seen_values import UNFAMILIAR_BY_FRAUD

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from contract.verdict import Verdict
    from engine.profile.seen_values import SeenValues


def unapplied(
    verdicts: Sequence[Verdict], remembered: int, waiting: Container[int], seen: SeenValues
) -> list[Verdict]:
    """Give the verdicts older than the newest ones that are not applied: those on payments that wait, and frauds whose values are still known.

    A fraud that was applied has made its device, merchant and payee new: whatever is known of them since was seen later. So one of which a value was
    seen before it was not applied, and whoever has many other payments judged keeps no fraud from it. Values of which a later verdict says what they
    are come without: that one counts.

    Parameters
    ----------
    verdicts : Sequence[Verdict]
        A user's, oldest first.
    remembered : int
        How many of the newest are left out.
    waiting : Container[int]
        Key hashes of the payments that wait to teach.
    seen : SeenValues
        What the profile knows.

    Returns
    -------
    list[Verdict]
        In their order.
    """
    found = []
    settled = {0}
    for place in range(len(verdicts) - 1, -1, -1):
        verdict = verdicts[place]
        if place < len(verdicts) - remembered:
            kept = tuple(0 if value in settled else value for value in verdict.seen)
            is_known = verdict.is_fraud and any(
                seen.is_known_since(kept[kind], verdict.at_s) for kind in UNFAMILIAR_BY_FRAUD
            )
            if is_known or verdict.key_hash in waiting:
                found.append(msgspec.structs.replace(verdict, seen=kept) if verdict.is_fraud else verdict)
        settled.update(
            [verdict.seen[kind] for kind in UNFAMILIAR_BY_FRAUD] if verdict.is_fraud else verdict.seen
        )
    return found[::-1]
