"""Where a stream's shards were left, in one small file, so that a restart of the stack goes on there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from local.event_sources.records import Progress


class CheckpointError(Exception):
    """A checkpoint file that is not one; names it."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Where to read a shard from."""

    sequence_number: str
    is_done: bool
    """True where the record with that number is dealt with and the next one is wanted."""


class _Content(msgspec.Struct):
    stream_arn: str
    shards: dict[str, Checkpoint] = {}


class Checkpoints:
    """The checkpoints of one stream; another stream's, left by an earlier table of that name, are forgotten.

    Parameters
    ----------
    file : Path
        Where they are kept; need not be there.
    stream_arn : str
        The stream that is read now.
    """

    def __init__(self, file: Path, stream_arn: str) -> None:
        self._file = file
        self._content = _Content(stream_arn)
        try:
            content = msgspec.json.decode(file.read_bytes(), type=_Content)
        except FileNotFoundError:
            return
        except msgspec.MsgspecError as error:
            raise CheckpointError(f"{file}: {error}") from error
        if content.stream_arn == stream_arn:
            self._content = content

    def __len__(self) -> int:
        return len(self._content.shards)

    def get(self, shard: str) -> Checkpoint | None:
        """Where a shard was left; None where it was not read yet."""
        return self._content.shards.get(shard)

    def keep(self, shard: str, progress: Progress) -> None:
        """Remember how far a shard has been dealt with; on disk when this returns."""
        if progress.first_unfinished is not None:
            checkpoint = Checkpoint(progress.first_unfinished.identifier, is_done=False)
        elif progress.read_to is not None:
            checkpoint = Checkpoint(progress.read_to, is_done=True)
        else:
            return
        if self._content.shards.get(shard) == checkpoint:
            return
        self._content.shards[shard] = checkpoint
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(self._content))
        temporary.replace(self._file)
