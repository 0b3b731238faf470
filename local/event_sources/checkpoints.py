"""The last position of each shard of a stream, in one small file, so that reading resumes there after a restart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from local.event_sources.records import ResumePoint


class CheckpointError(Exception):
    """A file that is no checkpoint file; names it."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Where reading a shard resumes."""

    sequence_number: str
    is_done: bool
    """True if the record with that number is done, so that reading resumes behind it."""


class _Content(msgspec.Struct):
    stream_arn: str
    shards: dict[str, Checkpoint] = {}


class Checkpoints:
    """The checkpoints of one stream. Those of another stream, from an earlier table of that name, are ignored.

    Parameters
    ----------
    file : Path
        Where they are stored; need not exist.
    stream_arn : str
        The stream that is read.
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
        """Return a shard's checkpoint; None if the shard has none."""
        return self._content.shards.get(shard)

    def save(self, shard: str, resume_point: ResumePoint) -> None:
        """Store where reading a shard resumes; on disk when this returns."""
        if resume_point.first_unfinished is not None:
            checkpoint = Checkpoint(resume_point.first_unfinished.identifier, is_done=False)
        elif resume_point.read_to is not None:
            checkpoint = Checkpoint(resume_point.read_to, is_done=True)
        else:
            return
        if self._content.shards.get(shard) == checkpoint:
            return
        self._content.shards[shard] = checkpoint
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(self._content))
        temporary.replace(self._file)
