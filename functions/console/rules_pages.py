"""The active ruleset by rule, with its week and its candidate; and a rule by itself."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from console import notices
from console.rules_views import latest_changes, rule_view, rules_view
from console.watch_views import first_midnight
from engine.features.catalogue import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.responses import Response

    from common.ruleset_desk import RulesetDesk
    from console.app import Desk, Visit
    from console.ruleset_reader import RulesetReader
    from console.watch_pages import Flagged
    from console.week_records import Week
    from contract.active_ruleset import ActiveRuleset
    from contract.authoring import RulesetOutline
    from engine.rollout.counts import RolloutCounts


class Windows(Protocol):
    """The call to what was counted; see :class:`console.rollout_windows.RolloutWindows`."""

    def windows(self, digest: str, now: datetime) -> Mapping[int, RolloutCounts]:
        """Minutes to what was counted of a ruleset in so many of the last ones."""
        ...


class ActiveDocument:
    """The active ruleset, its text, and what it says.

    Parameters
    ----------
    rulesets : RulesetDesk
        The table of changes, and the documents.
    reader : RulesetReader
        The validator.
    """

    def __init__(self, rulesets: RulesetDesk, reader: RulesetReader) -> None:
        self._rulesets = rulesets
        self._reader = reader

    def get(self) -> tuple[ActiveRuleset, str, RulesetOutline] | None:
        """Read it; None where none is active yet, or the validator refuses what is active."""
        active = self._rulesets.active()
        if active is None:
            return None
        text = self._rulesets.active_document(active)
        outline = self._reader.read(text).outline
        return None if outline is None else (active, text, outline)


class RulesPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    rulesets : RulesetDesk
        The table of changes, and the documents.
    active : ActiveDocument
        What is active.
    flagged : Flagged
        Flagged payments of the week.
    counts : Windows
        What both sides said.
    """

    def __init__(
        self,
        desk: Desk,
        rulesets: RulesetDesk,
        active: ActiveDocument,
        flagged: Flagged,
        counts: Windows,
    ) -> None:
        self._desk = desk
        self._rulesets = rulesets
        self._active = active
        self._flagged = flagged
        self._counts = counts

    def rules(self, visit: Visit) -> Response:
        """Show the active ruleset."""
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        active, _, outline = found
        windows = self._counts.windows(active.digest, visit.now)
        view = rules_view(active, outline, self._week(visit), windows)
        newest = list(islice(self._rulesets.history(visit.now), 1))
        return self._page(
            visit,
            "rules.html",
            view=view,
            changes=latest_changes(newest, self._rulesets.open_changes()),
        )

    def rule(self, visit: Visit) -> Response:
        """Show a rule of the active ruleset."""
        found = self._active.get()
        outline = None if found is None else found[2]
        rules = () if outline is None else outline.champion.rules
        rule = next((each for each in rules if each.id == visit.parts["rule"]), None)
        if found is None or outline is None or rule is None:
            return self._desk.pages.notice(notices.NO_PAGE, visit.who)
        windows = self._counts.windows(found[0].digest, visit.now)
        sentences = {each.name: each.description for each in CATALOGUE}
        view = rule_view(outline, rule, self._week(visit), windows, sentences)
        return self._page(visit, "rule.html", view=view)

    def _week(self, visit: Visit) -> Week:
        return self._flagged.since(first_midnight(visit.now), visit.now)

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="rules", **view)
