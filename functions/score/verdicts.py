"""What people found about a user's payments, read beside the profile.

The score stage asks for a user's newest verdicts with each batch. The next row of that user names those that it applied, so that a
rebuild folds them from rows alone. Nobody gives verdicts yet: :class:`NoVerdicts` is what the stage is given until labels exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.verdict import Verdict


class Verdicts(Protocol):
    """The call that the stage makes."""

    def read(self, user_ids: Sequence[str]) -> Mapping[str, Sequence[Verdict]]:
        """The newest verdicts of each user, oldest first; users without are left out.

        They are the newest :data:`engine.profile.profile.MAX_VERDICTS`, and all of the last days: a payment that waits to teach must not
        miss its verdict because a dozen others were judged with it. The engine chooses.
        """
        ...


class NoVerdicts:
    """A source that has none."""

    def read(self, user_ids: Sequence[str]) -> Mapping[str, Sequence[Verdict]]:  # noqa: ARG002 - as the protocol says
        """None for anybody."""
        return {}
