"""Which mappings a batch was published with: a batch that is repeated must be read by the same ones.

A stop between Kafka's write and the checkpoint's commit repeats the batch. Read by another mapping, the same rows can have
other ids or times; the score stage would not recognise them as repeats, and every payment of the batch would count twice. So
each batch has an empty file in ``<checkpoint>/mappings/``, written before its sinks are, whose name holds its number and the
digest of its mappings. An empty file is written as a whole or not at all, on every file system.

    batch 7 under the old mapping:  pin 7 -> quarantine -> Kafka -> (killed; no commit of 7)
    start with the new mapping:     pin 7 has the old digest, 7 is not committed -> the job does not start
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER: Final = "mappings"
"""Of the pins, below the checkpoint's path."""

COMMITS: Final = "commits"
"""Where Spark writes a file for each batch that is done, named by its number; below the checkpoint's path."""

_PIN: Final = re.compile(r"([0-9]+)-([0-9a-f]+)")


class MappingsChangedError(Exception):
    """A batch is still to be repeated, and the mappings are no longer those that it was begun with.

    Parameters
    ----------
    batch_id : int
        The batch.
    pinned : str
        Digest of the mappings that it was begun with.
    digest : str
        Digest of the mappings that the job was started with.
    """

    def __init__(self, batch_id: int, pinned: str, digest: str) -> None:
        super().__init__(
            f"batch {batch_id} was begun with the mappings of digest {pinned} and is not finished, but the job was started with "
            f"those of digest {digest}, which could publish its payments a second time under other ids or times: put the old "
            f"mappings and landing path back, start the job, and change them after the job printed the line of batch {batch_id}"
        )
        self.batch_id = batch_id
        self.pinned = pinned
        self.digest = digest


class Pin(NamedTuple):
    """The mappings of one batch."""

    batch_id: int
    digest: str

    @property
    def name(self) -> str:
        """Name of its file.

        >>> Pin(7, "0a1b").name
        '7-0a1b'
        """
        return f"{self.batch_id}-{self.digest}"


def check_mappings(pinned: Iterable[str], committed: Iterable[str], digest: str) -> None:
    """Check that a batch that will be repeated has the mappings of its first try.

    Parameters
    ----------
    pinned : Iterable[str]
        Names of the files in :data:`FOLDER`.
    committed : Iterable[str]
        Names of the files in :data:`COMMITS`; Spark deletes those of old batches.
    digest : str
        Of the mappings that the job was started with.

    Raises
    ------
    MappingsChangedError
        Where it has others.
    """
    last_committed = max((int(name) for name in committed if name.isdecimal()), default=-1)
    for pin in sorted(_pins(pinned)):
        if pin.batch_id > last_committed and pin.digest != digest:
            raise MappingsChangedError(pin.batch_id, pin.digest, digest)


def outdated(pinned: Iterable[str], batch_id: int) -> list[str]:
    """Name the pins of the batches before one: Spark commits a batch before it begins the next.

    >>> outdated(["6-0a", "7-0a", ".8-0a.crc"], 7)
    ['6-0a']
    """
    return [pin.name for pin in sorted(_pins(pinned)) if pin.batch_id < batch_id]


def _pins(names: Iterable[str]) -> list[Pin]:
    return [Pin(int(match[1]), match[2]) for name in names if (match := _PIN.fullmatch(name))]
