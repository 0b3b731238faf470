"""The table of audit events: rows are inserted and read. The role has no right to change or delete one, nor to write over one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from common.audit_events import AuditEvents
from contract.audit import to_audit_item

if TYPE_CHECKING:
    from contract.audit import AuditEvent


_TAKEN: Final = frozenset({"DuplicateItemException", "DuplicateItem"})
"""What AWS answers, and what its DynamoDB Local does, where there is a row with the key."""


class AuditStore(AuditEvents):
    """Reads and inserts audit events."""

    def insert(self, event: AuditEvent) -> bool:
        """Insert a row; False where its place is taken. Raises ClientError, BotoCoreError."""
        item = to_audit_item(event)
        # PutItem writes over a row where its condition is left out; PartiQL's INSERT never does, and is a right of its own.
        places = ", ".join(f"'{name}': ?" for name in item)
        statement = f'INSERT INTO "{self._table}" VALUE {{{places}}}'
        try:
            self._client.execute_statement(Statement=statement, Parameters=list(item.values()))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _TAKEN:
                return False
            raise
        return True
