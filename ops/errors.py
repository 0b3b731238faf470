"""What an operator is told when a command cannot go on."""

from __future__ import annotations


class OpsError(Exception):
    """One sentence: what is missing or refused, and what to do about it."""
