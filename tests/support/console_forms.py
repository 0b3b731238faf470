"""Forms on a page of the console, as a browser would send them."""

from __future__ import annotations

import re
from html import unescape


def form_on(page: str, button: str) -> dict[str, list[str]]:
    """Fields of the form with a button, as a browser would send them."""
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        if button in form:
            fields: dict[str, list[str]] = {}
            for tag in re.findall(r"<input[^>]*>", form):
                given = dict(re.findall(r'(\w+)="([^"]*)"', tag))
                if given.get("type") == "hidden" or ("checkbox" in tag and "checked" in tag):
                    fields.setdefault(given["name"], []).append(unescape(given["value"]))
            return fields
    raise AssertionError(f"no form with {button!r}")
