"""The model of the active ruleset, or of its candidate: its card, its terms as curves, and its drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from console import notices
from console.model_views import model_view
from engine.errors import InvalidModelError
from engine.features.catalogue import CATALOGUE
from engine.model.document import decode
from engine.model.drift import drift, read_baseline

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.rules_pages import ActiveDocument
    from console.ruleset_reader import RulesetReader
    from engine.model.drift import Drift, InputCounts


class Inputs(Protocol):
    """The call to what payments were like; see :class:`console.rollout_windows.RolloutWindows`."""

    def inputs(self, digest: str, now: datetime) -> InputCounts:
        """What payments of the last day were like."""
        ...


class ModelPages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    active : ActiveDocument
        What is active.
    reader : RulesetReader
        Gives models.
    counts : Inputs
        What payments were like.
    """

    def __init__(self, desk: Desk, active: ActiveDocument, reader: RulesetReader, counts: Inputs) -> None:
        self._desk = desk
        self._active = active
        self._reader = reader
        self._counts = counts

    def model(self, visit: Visit) -> Response:
        """Show the model of the active ruleset."""
        found = self._active.get()
        if found is None:
            return self._desk.pages.notice(notices.NO_RULESET, visit.who)
        active, _, outline = found
        sha256 = outline.champion.model_sha256
        kept = None if sha256 is None else self._reader.model(sha256)
        if sha256 is None or kept is None or kept.model is None:
            return self._desk.pages.notice(notices.NO_MODEL, visit.who)
        try:
            _, document = decode(kept.model.encode(), "the model", CATALOGUE)
        except InvalidModelError:
            return self._desk.pages.notice(notices.NO_MODEL, visit.who)
        inputs = self._counts.inputs(active.digest, visit.now)
        view = model_view(
            sha256,
            document,
            outline.champion,
            _drift(kept.baseline, inputs),
            inputs,
            {each.name: each.description for each in CATALOGUE},
        )
        return self._desk.pages.page("model.html", visit.who, page_name="model", view=view)


def _drift(baseline: str | None, inputs: InputCounts) -> Drift | None:
    if baseline is None:
        return None
    try:
        return drift(read_baseline(baseline.encode(), "the baseline"), inputs)
    except InvalidModelError:
        return None
