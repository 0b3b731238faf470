"""A browser without a window: follows redirects, keeps cookies, sends forms. One for each person."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from html import unescape
from http.cookiejar import Cookie, CookieJar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 60.0
"""A function's first request may wait until its process has started."""


class Browser:
    """Opens pages; knows where it is and what it sees."""

    def __init__(self) -> None:
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self.address = ""
        self.status = 0
        self.page = ""

    def open(self, address: str, form: Mapping[str, str | list[str]] | None = None) -> str:
        """Open a page, or send a form to it; what is shown then, after redirects."""
        body = urllib.parse.urlencode(form, doseq=True).encode() if form is not None else None
        target = urllib.parse.urljoin(self.address, address)
        try:
            answer = self._opener.open(target, body, SECONDS)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        self.address, self.status, self.page = answer.url, answer.status or 0, answer.read().decode()
        return self.page

    def send(self, button: str, **fields: str) -> str:
        """Fill in the form with this button on it, and press it."""
        for tag, form in re.findall(r"(<form[^>]*>)(.*?)</form>", self.page, re.DOTALL):
            if button in form:
                given: dict[str, str | list[str]] = {**_hidden(form), **fields}
                if ticked := re.findall(r'<input type="checkbox" name="chosen" value="(\w+)" checked', form):
                    given["chosen"] = ticked
                (action,) = re.findall(r'action="([^"]*)"', tag)
                return self.open(unescape(action), given)
        raise AssertionError(f"no form with {button!r} on {self.address}")

    def keep_cookie(self, name: str, value: str) -> None:
        """Have a cookie of the site where the browser is, for as long as the test lasts."""
        host = urllib.parse.urlsplit(self.address).hostname or ""
        cookie = Cookie(
            version=0,
            name=name,
            value=value,
            port=None,
            port_specified=False,
            domain=host,
            domain_specified=False,
            domain_initial_dot=False,
            path="/",
            path_specified=True,
            secure=False,
            expires=None,
            discard=True,
            comment=None,
            comment_url=None,
            rest={},
        )
        self._cookies.set_cookie(cookie)

    def sign_in(self, console_url: str, name: str, password: str) -> str:
        """Sign in at the local stack's Cognito, and come back."""
        self.open(f"{console_url}/sign-in/begin")
        return self.send("Sign in", username=name, password=password)


def _hidden(form: str) -> dict[str, str | list[str]]:
    """Hidden fields of a form; the one that may come several times is a list."""
    fields: dict[str, str | list[str]] = {}
    chosen: list[str] = []
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        if name == "chosen":
            chosen.append(unescape(value))
        else:
            fields[name] = unescape(value)
    return fields | ({"chosen": chosen} if chosen else {})
