"""The whole system on one machine as one object: servers, resources, functions and the ingestion job.

``python -m local.stack up`` leaves it running, ``down`` stops it.
"""

from __future__ import annotations

from local.stack.stack import Stack
from local.stack.state import StackError, StackRunningError, StackState, read_state

__all__ = ["Stack", "StackError", "StackRunningError", "StackState", "read_state"]
