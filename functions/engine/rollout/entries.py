"""Entries that a change adds to allow lists: whoever is on one pays with fewer questions, so they are looked at closely and end by themselves."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import yaml

from contract.authoring import PERSONAL_FIELDS
from engine.errors import RulesetEditError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ALLOWED_DAYS: Final = 90
"""The longest that an entry of an allow list counts from the day on which it is proposed, where it does not come with a whole document."""


class AllowedEntry(NamedTuple):
    """An entry that is new on an allow list, or counts until another time than before."""

    list_name: str
    field: str
    value: str
    until: str
    """As the document has it; empty for ever."""

    @property
    def is_masked(self) -> bool:
        """Whether pages mask its value until somebody asks for it."""
        return self.field in PERSONAL_FIELDS


def new_on_allow_lists(before: str | None, after: str) -> tuple[AllowedEntry, ...]:
    """Find what a change adds to allow lists, of the champion and of the candidate.

    A list allows where a rule takes points off for it, or holds for what is not on it.

    Parameters
    ----------
    before : str | None
        The active document, checked; None where there is none.
    after : str
        The document after the change, checked.
    """
    content = _content(after)
    # A list that denied before and allows now has only new entries.
    known = set() if before is None else set(_entries(_content(before)))
    return tuple(each for each in dict.fromkeys(_entries(content)) if each not in known)


def check_expiry(entries: tuple[AllowedEntry, ...], today: date) -> None:
    """Check that entries of allow lists end soon enough.

    Raises
    ------
    RulesetEditError
        Naming the list, and never a value.
    """
    last = today + timedelta(days=MAX_ALLOWED_DAYS)
    for entry in entries:
        if not entry.until or date.fromisoformat(entry.until[:10]) > last:
            raise RulesetEditError(
                f"an entry of '{entry.list_name}', which lets payments through, counts for {MAX_ALLOWED_DAYS} days at most: "
                f"give it an expiry, {last} or earlier"
            )


def _entries(content: dict[str, Any]) -> Iterator[AllowedEntry]:
    candidate = content.get("candidate") or {}
    for side in (content, candidate):
        lists = side.get("lists", content.get("lists")) or {}
        for name, one in lists.items():
            if not any(_allows(rule, name) for rule in side.get("rules") or ()):
                continue
            for entry in one["entries"]:
                yield AllowedEntry(name, one["field"], str(entry["value"]), str(entry.get("until") or ""))


def _allows(rule: dict[str, Any], name: str) -> bool:
    variable, condition = rf"\bon_{re.escape(name)}\b", rule["when"]
    if rule["points"] < 0:
        return re.search(variable, condition) is not None
    is_negated = (
        rf"!\s*\(*\s*{variable}|{variable}\s*(==\s*false|!=\s*true|\?)|(false\s*==|true\s*!=)\s*{variable}"
    )
    return re.search(is_negated, condition) is not None


def _content(text: str) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(yaml.safe_load(text)))
    return content
