"""What looks like a link, and text that may become one."""

from __future__ import annotations

import re

from hypothesis import strategies as st

DOTS = ".\u2024\u3002\ufe12\ufe52\uff0e\uff61"
"""What a mail program, a phone or a folding may take for the dot in a host's name."""

LINK = re.compile(
    rf"\w[{DOTS}][^\W\d_]{{2}}"  # evil.com
    rf"|[:\ufe13\ufe55\uff1a][/\\\u2044\u2215\ufe68\uff0f\uff3c]{{2}}"  # http://
    rf"|\d{{1,3}}(?:[{DOTS}]\d{{1,3}}){{3}}"  # 198.51.100.7
)

_PARTS = (
    "evil",
    "com",
    "\uff43\uff4f\uff4d",
    "\u24d2\u24de\u24dc",
    "рф",
    "भारत",
    "http",
    "1",
    "255",
    "\uff11",
    "[.]",
)
_SIGNS = ":\uff1a\ufe55/\uff0f\u2215\\\u2025\u2026\u2488\u2490\u33c2\u33d8\u2100\ufe0f\u200b \"'"

link_like = st.lists(st.sampled_from([*DOTS, *_PARTS, *_SIGNS]) | st.characters()).map("".join)
"""Text of what makes up links, and of what becomes that when it is folded."""
