"""What a landed file can hold: payments, or labels; and what a mapping can say of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from contract.label import LabelMessage
from contract.mapping.columns import LOCATION_PARTS, known_column, known_label_column
from contract.mapping.form import FORM_KEYS
from contract.transaction import SENT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.mapping.columns import Column

REQUIRED: Final = ("user_id", "amount", "timestamp")
"""What every mapping of payments has. The bench makes a ``transaction_id`` where none is mapped; ingestion does not."""


class FileKind(NamedTuple):
    """A kind of landed file."""

    fields: tuple[str, ...]
    """What can be mapped and is published."""
    needed: tuple[str, ...]
    """Fields of every record that the ingestion job publishes; an id that it made itself would make one record of two equal rows."""
    times: tuple[str, ...]
    """Keys whose values are times."""
    form_keys: tuple[str, ...]
    """Keys that say how a file as a whole is written."""
    known: Callable[[str], Column | None]
    """Finds the field of a column by the column's name."""
    bench_keys: tuple[str, ...] = ()
    """What can be mapped and only the bench reads."""


PAYMENTS: Final = FileKind(
    fields=(*SENT_FIELDS, *LOCATION_PARTS),
    needed=("transaction_id", *REQUIRED),
    times=("timestamp", "appended_at"),
    form_keys=FORM_KEYS,
    known=known_column,
    bench_keys=("label", "scenario", "incident", "appended_at"),
)

LABELS: Final = FileKind(
    fields=LabelMessage.__struct_fields__,
    needed=("transaction_id", "verdict", "source", "known_at"),
    times=("known_at", "timestamp"),
    form_keys=("encoding", "delimiter", "nulls", "decimal"),
    known=known_label_column,
)
