"""What differs between the queries of the job: where files land, how their rows are cleaned, and where these go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame

    from contract.card_tokens import CardTokens
    from contract.mapping.kinds import FileKind
    from glue_scripts.prefix_mappings import PrefixMappings
    from glue_scripts.progress import Counts
    from glue_scripts.transforms import Cleaners


@dataclass(frozen=True)
class Feed:
    """One kind of landed files, on its way."""

    query_name: str
    landing_path: str
    quarantine_path: str
    checkpoint_path: str
    mappings_path: str | None
    trigger_interval: str
    max_files_per_trigger: int
    kind: FileKind
    """What the files hold."""
    cleaners: Callable[[CardTokens, PrefixMappings], Cleaners]
    """Makes what cleans their rows."""
    deliver: Callable[[DataFrame], None]
    """Takes cleaned rows, and returns when the good ones have arrived."""
    batch_line: Callable[[int, Counts, int, int, str], str]
    """Writes a batch's line: its number, its counts, its duration in ms, the clock in ms since the epoch, and :attr:`replaced`."""
    replaced: str = ""
    """Of one file that replaces another of the same name (:mod:`glue_scripts.replaced`): its digest. Its query ends with it."""

    def below_checkpoint(self, name: str) -> str:
        """Name a file or folder of the checkpoint."""
        return f"{self.checkpoint_path.rstrip('/')}/{name}"
