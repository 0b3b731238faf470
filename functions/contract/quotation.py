"""Quotes a sender's text inside our sentences, so that it cannot end the quotation."""

from __future__ import annotations

from typing import Final

_MARKS: Final = str.maketrans(
    dict.fromkeys('"\u201c\u201d\u201e\u201f\u2033\u2036\u02ba\u275d\u275e\u301d\u301e\u301f\uff02', "'")
)
"""The double quotation mark, and the characters that look like it or become it in an SMS."""


def quoted(text: str) -> str:
    """Put text in double quotation marks; those within it become single ones, so that they close nothing.

    Examples
    --------
    >>> print(quoted('24" TV shop'))
    "24' TV shop"
    """
    return f'"{text.translate(_MARKS)}"'
