"""The README's picture of an alert, from the system's own code: ``python -m lab.alert_picture > docs/alert.svg``.

A simulated user is attacked, the engine decides, and the alert stage writes the e-mail. Only Kafka and the tables are left out.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import msgspec

from alert.messages import email_text, make_alert, subject_line
from alert.windows import AlertLimits, decide_window
from contract.alert_windows import UserWindows
from contract.clock import TimeBasis, times_on
from contract.flagged import flag
from contract.scored import Decision, Position, ScoredTransaction
from contract.transaction import decode_transaction
from engine.decide import decide, scored_transaction
from engine.profile import Profile
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from simulator import SimulationConfig, simulate

if TYPE_CHECKING:
    from contract.alert import Alert
    from contract.truth import SentPayment
    from engine.rules.ruleset import Ruleset

_RULES: Final = Path("rules/default.yaml")
_SCENARIO: Final = "impossible_travel"
"""The fraud that is shown: a cloned card, used far away soon after its owner paid."""
_NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""The clock. It is fixed, so the picture changes only when the code or the rules do."""
_WORLD: Final = SimulationConfig(seed=7, users=300, transactions=12_000, ends_at=_NOW)

_LIMITS: Final = AlertLimits(
    width=timedelta(hours=1),
    again_factor=Decimal(2),
    again_amount=Decimal(5_000),
    again_minimum=Decimal(100),
    messages_per_hour=6,
)
"""A user's first payment is alerted on under any."""

_FONT_PX: Final = 13
_CHARACTER_PX: Final = 7.85
"""Width of a character in a monospaced font of that size."""
_LINE_PX: Final = 18
_MARGIN_PX: Final = 20


def example_alert(ruleset: Ruleset, world: SimulationConfig = _WORLD) -> Alert:
    """Give the alert of the first payment of the scenario that is blocked.

    Parameters
    ----------
    ruleset : Ruleset
        Decides.
    world : SimulationConfig
        Whose payments are scored.

    Returns
    -------
    Alert
        As the alert stage publishes it, were it the user's first. Its ``position`` counts the simulated payments.

    Raises
    ------
    LookupError
        When the rules block no such payment.
    """
    profiles: dict[str, Profile] = {}
    for offset, payment in enumerate(simulate(world)):
        scored = _score(payment, offset, profiles, ruleset)
        if payment.truth.scenario == _SCENARIO and scored.decision is Decision.BLOCK:
            return _alert(scored)
    raise LookupError(f"ruleset {ruleset.version} blocks no simulated payment of {_SCENARIO}")


def _score(
    payment: SentPayment, offset: int, profiles: dict[str, Profile], ruleset: Ruleset
) -> ScoredTransaction:
    transaction = decode_transaction(msgspec.json.encode(payment.record))
    position = Position("transaction_stream", 0, offset)
    facts = PaymentFacts.of(transaction, times_on(TimeBasis.TRUSTED, transaction.timestamp, 0))
    profile = profiles.setdefault(transaction.user_id, Profile())
    profile_version = profile.tx_count
    decided = decide(facts, profile, ruleset)
    profile.fold(facts, decided.outcome, position)
    at = transaction.timestamp
    return scored_transaction(facts, decided, ruleset, position, at, at, profile_version=profile_version)


def _alert(scored: ScoredTransaction) -> Alert:
    flagged = flag(scored, scored.scored_at, timedelta(days=1))
    window = decide_window(UserWindows(user_id=flagged.user_id), flagged, _LIMITS, _NOW)
    claimed = msgspec.structs.replace(flagged, alert_id=window.alert_id, alert_claim=window.claim)
    return make_alert(claimed, scored.scored_at)


def as_svg(alert: Alert) -> str:
    """Draw an alert's e-mail: its subject, then its text, line by line.

    Parameters
    ----------
    alert : Alert
        As published.

    Returns
    -------
    str
        SVG that needs no font but a monospaced one.
    """
    subject, lines = subject_line(alert), email_text(alert).splitlines()
    width = round(2 * _MARGIN_PX + max(map(len, [subject, *lines])) * _CHARACTER_PX)
    head = _LINE_PX + _MARGIN_PX
    height = head + _LINE_PX * len(lines) + 2 * _MARGIN_PX
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "font-family": "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
            "font-size": str(_FONT_PX),
        },
    )
    ET.SubElement(svg, "title").text = "E-mail of an alert on a simulated payment"
    _box(svg, width, height, "#fff")
    _box(svg, width, head, "#f0f0f0")
    _text(svg, subject, (head + _FONT_PX) / 2 - 1, is_bold=True)
    for number, line in enumerate(lines):
        if line:
            is_bold = number == 0 or line in {"Payment", "Why"}
            _text(svg, line, head + _MARGIN_PX + _LINE_PX * (number + 0.7), is_bold=is_bold)
    ET.indent(svg, space="")
    return ET.tostring(svg, encoding="unicode") + "\n"


def _box(svg: ET.Element, width: int, height: int, fill: str) -> None:
    size = {"x": "0.5", "y": "0.5", "width": str(width - 1), "height": str(height - 1)}
    ET.SubElement(svg, "rect", size | {"rx": "6", "fill": fill, "stroke": "#bbb"})


def _text(svg: ET.Element, text: str, baseline: float, *, is_bold: bool) -> None:
    place = {"x": str(_MARGIN_PX), "y": f"{baseline:g}", "fill": "#111", "xml:space": "preserve"}
    weight = {"font-weight": "bold"} if is_bold else {}
    ET.SubElement(svg, "text", place | weight).text = text


def picture() -> str:
    """Draw an alert that the default rules give."""
    return as_svg(example_alert(parse_ruleset(_RULES.read_text(), str(_RULES))))


if __name__ == "__main__":
    sys.stdout.write(picture())
