"""The whole system on one machine: its servers, its resources, its functions and its ingestion job, as one thing.

``python -m local.stack up`` leaves it running, ``down`` stops it.
"""

from __future__ import annotations

from local.stack.stack import Stack, StackError
from local.stack.state import StackRunningError, StackState, read_state

__all__ = ["Stack", "StackError", "StackRunningError", "StackState", "read_state"]
