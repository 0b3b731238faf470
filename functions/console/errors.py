"""The errors of the console. Each becomes a page; none holds personal data."""

from __future__ import annotations

from common.errors import StageError


class ConsoleError(StageError):
    """Something that the console cannot do for who asked."""


class AuditUnavailableError(ConsoleError):
    """An audit event that could not be written. What was asked for is not done, and not shown."""
