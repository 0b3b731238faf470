"""Many decisions made again from their history rows, by the rulesets and models that were active then. Pure: rows in, differences out.

One decision is made again by :mod:`engine.replay`. Given all rows of a user, the features of the user follow from the rows before, too
(:class:`UserReplay`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from contract.scored import OtherVerdict
from engine.decide import decide
from engine.errors import InvalidRulesetError
from engine.features.stored import FeatureSetError
from engine.profile import Profile
from engine.profile.facts import facts_of_row
from engine.profile.outcome import Outcome
from engine.replay import OF_ASSESSMENT, UnknownRulesetError, differing, made_again, stored_features

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract.scored import FeatureValue, ScoredTransaction
    from engine.replay import Difference
    from engine.rules.ruleset import Ruleset

MAX_SHOWN: Final = 20
"""Rows that are shown of those that differ."""


class Differing(msgspec.Struct, frozen=True):
    """A row whose decision would be made otherwise."""

    user_id: str
    event_key: str
    differences: tuple[str, ...]
    """A sentence each: what is stored, and what is computed."""


class Replay:
    """Makes decisions again.

    Parameters
    ----------
    document_of : Callable[[str], Ruleset]
        Gives the ruleset of a digest; raises :class:`UnknownRulesetError` or :class:`InvalidRulesetError`.

    Attributes
    ----------
    equal : int
        Decisions that are the same.
    repeats : int
        Rows of payments that repeat another one; they have that one's decision.
    unknown : Counter[str]
        Why decisions could not be made again, to how many.
    differing : list[Differing]
        Those that are not the same.
    """

    def __init__(self, document_of: Callable[[str], Ruleset]) -> None:
        self._document_of = document_of
        self._rulesets: dict[str, Ruleset | str] = {}
        self.equal = 0
        self.repeats = 0
        self.unknown: Counter[str] = Counter()
        self.differing: list[Differing] = []

    def take(self, row: ScoredTransaction) -> None:
        """Make the decision of one row again."""
        if row.repeats:
            self.repeats += 1
            return
        if known := self.known(row):
            self.compare(row, _sentences(made_again(row, *known).differences))

    def known(self, row: ScoredTransaction) -> tuple[Ruleset, dict[str, FeatureValue]] | None:
        """The ruleset that decided a row, and the features in it; None, and counted, where either is not known."""
        ruleset = self._ruleset_of(row)
        if isinstance(ruleset, str):
            self.unknown[ruleset] += 1
            return None
        try:
            return ruleset, stored_features(row)
        except FeatureSetError as error:
            self.unknown[str(error)] += 1
            return None

    def _ruleset_of(self, row: ScoredTransaction) -> Ruleset | str:
        """The ruleset that decided a row, or why there is none."""
        digest = row.ruleset_version.rpartition("+")[2]
        if digest not in self._rulesets:
            try:
                self._rulesets[digest] = self._document_of(digest)
            except InvalidRulesetError as error:
                self._rulesets[digest] = (
                    f"ruleset {digest} is refused by this version: {error.problems[0].without_excerpt}"
                )
            except UnknownRulesetError as error:
                self._rulesets[digest] = str(error)
        return self._rulesets[digest]

    def compare(self, row: ScoredTransaction, found: tuple[str, ...]) -> None:
        """Count a row by its differences."""
        if found:
            self.differing.append(Differing(row.transaction.user_id, row.event_key, found))
        else:
            self.equal += 1


class UserReplay:
    """Makes the decisions of one user again from the first payment on: the user's features are computed from the rows before.

    What others did at the payment's entities is taken from its row.

    Parameters
    ----------
    replay : Replay
        Knows the rulesets, and counts.
    """

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._profile = Profile()

    def take(self, row: ScoredTransaction) -> None:
        """Take the user's next row, in the order in which they were decided."""
        facts = facts_of_row(row)
        if known := self._replay.known(row):
            ruleset, stored = known
            decided = decide(facts, self._profile, ruleset, row.verdicts, stored)
            ours, other = decided.assessment, decided.other
            verdict = None if other is None else OtherVerdict(other.decision, other.risk_score)
            pairs: list[tuple[str, object, object]] = [
                ("side", row.side, decided.side),
                ("other", row.other, verdict),
            ]
            pairs += [(name, getattr(row, name), getattr(ours, name)) for name in OF_ASSESSMENT]
            pairs += [(name, stored[name], value) for name, value in decided.features.items()]
            self._replay.compare(row, _sentences(differing(pairs)))
        self._profile.fold_row(facts, Outcome.of(row), row.position)


def replay_text(replay: Replay) -> str:
    """Say for people what a replay found."""
    compared = replay.equal + len(replay.differing)
    lines = [f"{compared:,} decisions made again from their rows: {len(replay.differing):,} differ."]
    if replay.repeats:
        lines.append(f"{replay.repeats:,} rows repeat another payment and have its decision.")
    lines += [f"{count:,} could not be made again: {why}" for why, count in replay.unknown.most_common()]
    for each in replay.differing[:MAX_SHOWN]:
        lines.append(f"{each.user_id} {each.event_key}")
        lines += [f"  {difference}" for difference in each.differences]
    if len(replay.differing) > MAX_SHOWN:
        lines.append(f"and {len(replay.differing) - MAX_SHOWN:,} more")
    return "\n".join(lines)


def _sentences(differences: Iterable[Difference]) -> tuple[str, ...]:
    return tuple(
        f"{each.name}: stored {_text(each.stored)}, computed {_text(each.computed)}" for each in differences
    )


def _text(value: object) -> str:
    return str(msgspec.to_builtins(value, enc_hook=str))
