"""What an operator is told when a command cannot go on."""


class OpsError(Exception):
    """One sentence: what is missing or refused, and what to do about it."""
