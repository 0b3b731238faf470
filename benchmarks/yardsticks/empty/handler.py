"""Nothing: what an event and a cold start cost before any code of a function runs."""


def handler(_event: object, _context: object) -> None:
    """Answer nothing."""
