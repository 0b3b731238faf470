"""One row of a landed file of labels to one message of the labels queue, or to the reason why it cannot be one.

The message is read by the function that reads the queue: nothing that this job sends is refused there for its form. It has no id
of its own unless the file names one: the label stage derives it from the content, so a row that is sent twice is one label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.canary import RESERVED, is_canary
from contract.errors import InvalidLabelError, InvalidTransactionError
from contract.label_message import decode_label_message, encode_label_message
from contract.mapping.kinds import LABELS
from contract.mapping.label_row import NO_LABEL, LabelMapper
from glue_scripts.rows import FileCleaner, NoLabel, Published, encoded

if TYPE_CHECKING:
    from contract.card_tokens import CardTokens
    from contract.mapping.document import ColumnMapping
    from glue_scripts.rows import Row

_NO_LABEL: Final = NoLabel()


class LabelCleaner(FileCleaner):
    """Cleans rows of labels.

    Parameters
    ----------
    tokens : CardTokens
        Replaces card numbers in what is quarantined; a message holds ids and words alone.
    mapping : ColumnMapping, optional
        What each column is.
    """

    def __init__(self, tokens: CardTokens, mapping: ColumnMapping | None = None) -> None:
        super().__init__(tokens, mapping, LabelMapper(mapping), LABELS)

    def _clean(self, row: Row) -> Published | NoLabel:
        record, unused_columns, problems = self._mapper.map_row(row)
        if record.get("verdict") == NO_LABEL:
            return _NO_LABEL
        if problems:
            raise problems[0]
        try:
            message = decode_label_message(encoded(record))
        except InvalidLabelError as error:
            raise InvalidTransactionError(error.field, error.problem) from error
        if message.known_at is None:
            # A file that is read again later must not say that its labels became known later.
            raise InvalidTransactionError("known_at", "missing")
        if message.user_id is not None and is_canary(message.user_id):
            raise InvalidTransactionError("user_id", f"{RESERVED}, whose payments nobody labels")
        names = tuple(map(self._tokens.replace, unused_columns))
        return Published(message.user_id or "", encode_label_message(message), names)
