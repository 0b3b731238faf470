"""Makes HTML of a view: templates, and what every page has. Nothing here decides anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.rights import Right
from console.routes import BY_NAME, menu_of

if TYPE_CHECKING:
    from console.settings import Settings

TEMPLATES: Final = Path(__file__).parent / "templates"
_STATIC: Final = Path(__file__).parent / "static"

ASSETS: Final = {
    "stylesheet": ("/console.css", _STATIC / "console.css", "text/css"),
    "script": ("/console.js", _STATIC / "console.js", "text/javascript"),
}
"""Name to path, file and type of what every page loads; open to everybody."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer": with it a browser says of a form that it comes from nowhere.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer."""

HSTS: Final = "max-age=63072000"
"""Two years, where the console is reached by HTTPS."""


class Who(msgspec.Struct, frozen=True):
    """Who looks at a page, as the page's head shows it."""

    name: str
    rights: frozenset[Right]
    form_token: str
    """That of the session's forms."""

    @property
    def may_reveal(self) -> bool:
        """Whether this person may see personal data, with a reason."""
        return Right.REVEAL in self.rights

    @property
    def may_work(self) -> bool:
        """Whether this person may claim cases and judge."""
        return Right.WORK_CASES in self.rights

    @property
    def may_reassign(self) -> bool:
        """Whether this person may give cases to somebody else."""
        return Right.REASSIGN in self.rights

    @property
    def may_bulk(self) -> bool:
        """Whether this person may judge cases together."""
        return Right.BULK in self.rights

    @property
    def may_write_rules(self) -> bool:
        """Whether this person may propose rules."""
        return Right.PROPOSE_RULES in self.rights

    @property
    def may_list(self) -> bool:
        """Whether this person may propose entries of lists."""
        return Right.PROPOSE_ENTRIES in self.rights

    @property
    def may_withdraw(self) -> bool:
        """Whether this person may propose that a candidate is taken out."""
        return Right.WITHDRAW in self.rights


class Notice(msgspec.Struct, frozen=True):
    """A page that says one thing: an error, or a state."""

    status: int
    title: str
    text: str
    """What it means, and what to do next."""


class Pages:
    """Renders the templates.

    Parameters
    ----------
    settings : Settings
        Says where the console is.
    """

    def __init__(self, settings: Settings) -> None:
        self._base_path = settings.base_path
        # Whatever a sender wrote is text: every value is escaped, and a missing one is an error.
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["path_of"] = self.path_of

    def path_of(self, name: str, **parts: str) -> str:
        """Path of a page of the table, with the stage's before it; ``parts`` are the opaque ids in it."""
        path = ASSETS[name][0] if name in ASSETS else BY_NAME[name].path.format(**parts)
        return self._base_path + path

    def page(self, template: str, who: Who | None, status: int = 200, **view: Any) -> Response:
        """Render a page for somebody; None for who is not signed in."""
        menu = menu_of(who.rights) if who is not None else ()
        html = self._environment.get_template(template).render(who=who, menu=menu, **view)
        return HTMLResponse(html, status)

    def notice(self, notice: Notice, who: Who | None) -> Response:
        """Render a page that says one thing."""
        return self.page("notice.html", who, notice.status, notice=notice)

    def go(self, path: str) -> Response:
        """Send the browser to a page of ours; ``path`` without the stage's."""
        return RedirectResponse(self._base_path + path, 303)
