"""Makes the cache's copies of what the tables of labels hold, beside other workers that do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from common.errors import StageError
from contract.entity_ids import id_of_name
from contract.errors import InvalidRowError
from contract.label_rows import ENTITY_RISK_TABLE
from engine.labels import risk_copy, verdicts_copy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.label import Label
    from contract.label_rows import EntityMarks

MAX_ATTEMPTS: Final = 8
"""How often copies are made again that others change at the same time."""


class CopyContentionError(StageError):
    """Copies that other workers kept changing; the label is tried again.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(
            f"labels, entity_risk: changed by other workers during {attempts} tries to copy them"
        )
        self.attempts = attempts


class CopyTarget(Protocol):
    """Where copies go; see :class:`cache.label_copies.RedisLabelCopies`."""

    def write(self, risks: Mapping[bytes, bytes | None], verdicts: Mapping[str, bytes | None]) -> None:
        """Set copies, all in one step; CacheUnavailableError."""
        ...


class CopySource(Protocol):
    """What copies are made of; see :class:`common.label_tables.LabelTables`."""

    def of_user(self, user_id: str) -> list[Label]:
        """Read a user's labels."""
        ...

    def marks(self, entity_id: str) -> EntityMarks:
        """Read what counts of an entity's labelled payments."""
        ...


class Copier:
    """Makes the cache's copies of what the tables hold.

    Parameters
    ----------
    source : CopySource
        The tables.
    target : CopyTarget
        The cache.
    """

    def __init__(self, source: CopySource, target: CopyTarget) -> None:
        self._source = source
        self._target = target

    def copy(self, entity_ids: Sequence[str], user_ids: Sequence[str]) -> None:
        """Bring copies up to date.

        Parameters
        ----------
        entity_ids : Sequence[str]
            As :func:`contract.entity_ids.entity_name` writes them.
        user_ids : Sequence[str]
            Users whose verdicts are copied.

        Raises
        ------
        CacheUnavailableError
            When the cache did not answer.
        CopyContentionError
            When others kept changing the tables.
        """
        # Two workers A and B with labels of two payments at one merchant:
        #
        #   time   A                            B
        #    |     writes its row
        #    |     reads the rows: A
        #    |                                  writes its row
        #    |                                  reads the rows: A, B
        #    |                                  copies A, B; reads A, B: done
        #    |     copies A
        #    v     reads A, B: copies again
        #
        # Who copies last has read the rows after it, and they were what it had copied.
        read = self.read(entity_ids, user_ids)
        for _ in range(MAX_ATTEMPTS):
            self._target.write(*read)
            before, read = read, self.read(entity_ids, user_ids)
            if read == before:
                return
        raise CopyContentionError(MAX_ATTEMPTS)

    def read(
        self, entity_ids: Sequence[str], user_ids: Sequence[str]
    ) -> tuple[dict[bytes, bytes | None], dict[str, bytes | None]]:
        """Make copies from the tables as they are, by entity id and by user; None where there is nothing to copy.

        Raises
        ------
        InvalidRowError
            Where a row cannot be read, or names no entity.
        """
        risks = {_id(entity_id): risk_copy(self._source.marks(entity_id)) for entity_id in entity_ids}
        verdicts = {user_id: verdicts_copy(self._source.of_user(user_id)) for user_id in user_ids}
        return risks, verdicts


def _id(name: str) -> bytes:
    try:
        return id_of_name(name)
    except ValueError as error:
        raise InvalidRowError(ENTITY_RISK_TABLE, "entity_id", "no entity's name") from error
