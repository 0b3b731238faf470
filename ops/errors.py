"""Errors of the make targets. Their messages are printed as they are, without a traceback."""

from __future__ import annotations


class OpsError(Exception):
    """A command cannot continue: one sentence says what is missing or refused, and what to do about it."""


class BuildError(Exception):
    """A function or the Glue job cannot be built: names it and says why."""
