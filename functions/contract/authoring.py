"""What the console asks of the function that reads and edits rulesets, and what it answers: wire shapes, JSON.

The console has neither YAML nor CEL. The validator has both, and reads a document here as it does for AppConfig.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from contract.addresses import read_network
from contract.side import Side

ASK: Final = "ask"
"""Field of a request that says what is asked; AppConfig's events have none."""

MAX_DOCUMENT_CHARACTERS: Final = 256 * 1024
"""Of a document in a request; the checker's limit of bytes is the same."""

PERSONAL_FIELDS: Final = frozenset({"card_id", "device_id", "ip_address", "payee_id", "user_id"})
"""Fields of payments whose values pages mask until somebody asks for them with a reason."""


def pages_mask(field: str, value: str) -> bool:
    """Whether pages mask an entry of a list until somebody asks for it with a reason.

    A network is nobody's address alone, and its length says how many it concerns: it is always shown.

    Examples
    --------
    >>> pages_mask("device_id", "d-1"), pages_mask("ip_address", "203.0.113.7"), pages_mask("ip_address", "203.0.113.7/32")
    (True, True, True)
    >>> pages_mask("ip_address", "203.0.113.0/24"), pages_mask("country", "FR")
    (False, False)
    """
    if field not in PERSONAL_FIELDS:
        return False
    network = read_network(value) if field == "ip_address" else None
    return network is None or network.prefixlen == network.max_prefixlen


Document = Annotated[str, Meta(max_length=MAX_DOCUMENT_CHARACTERS)]
Version = Annotated[str, Meta(max_length=64)]
"""What the document's ``version`` becomes; empty where it stays."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a list, as the document has it."""

    value: str
    until: str = ""
    """A date, which is included, or a time with its zone; empty for ever."""
    note: str = ""


class ListOutline(msgspec.Struct, frozen=True):
    """One list."""

    name: str
    field: str
    """Field of a payment that it is of."""
    entries: tuple[Entry, ...]
    description: str = ""


class RuleOutline(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    id: str
    when: str
    points: int
    reason: str
    mode: Literal["live", "shadow", "suspended"]
    max_share: float | None = None
    """Percent of all payments."""
    description: str = ""
    first_line: int = 0
    """1-based line of the document at which it begins."""
    text: str = ""
    """Its text, without the indentation that it has in the document."""


class SideOutline(msgspec.Struct, frozen=True, kw_only=True):
    """The champion, or the candidate."""

    version: str
    review: int
    block: int
    rules: tuple[RuleOutline, ...]
    lists: tuple[ListOutline, ...]
    model_sha256: str | None = None
    points: tuple[tuple[float, int], ...] = ()
    """Probability from which the model gives so many points."""
    settings: tuple[tuple[str, str], ...] = ()
    """All else that the document says of this side, by its path: ``thresholds.review`` and ``50``."""


class Bands(msgspec.Struct, frozen=True, kw_only=True):
    """How far the candidate may be from the champion."""

    alert_rate: tuple[float, float]
    """Times as many reviewed or blocked payments: at least, and at most."""
    block_rate: tuple[float, float]
    errors: float
    """Percent of all payments by which failures may exceed the champion's."""
    latency_us: float


class RulesetOutline(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says, without YAML."""

    digest: str
    base_currency: str
    champion: SideOutline
    bands: Bands
    candidate: SideOutline | None = None
    share: float = 0.0
    """Percent of the users for whom the candidate decides."""
    content_sha256: str = ""
    """SHA-256 of all that the document says, whatever its comments and its form are: of two documents with the same one, nothing differs."""

    @property
    def sides(self) -> tuple[SideOutline, ...]:
        """The champion, and the candidate if there is one."""
        return (self.champion,) if self.candidate is None else (self.champion, self.candidate)


class DocumentProblem(msgspec.Struct, frozen=True):
    """One thing that the checker refuses, or warns of."""

    line: int
    """1-based; 0 where no line is named."""
    column: int
    message: str
    rule_id: str | None = None


class Read(msgspec.Struct, frozen=True, tag_field=ASK, tag="read"):
    """Check a document, and say what is in it."""

    document: Document


class ChangeRule(msgspec.Struct, frozen=True, tag_field=ASK, tag="change_rule"):
    """Replace a rule of the champion, or add one."""

    document: Document
    rule_id: str
    """Empty for a new rule, which becomes the last."""
    text: Document
    """As :attr:`RuleOutline.text` is; empty where the rule is taken out."""
    version: Version = ""


class TakeOff(msgspec.Struct, frozen=True, tag_field=ASK, tag="take_off"):
    """Take entries off a list."""

    document: Document
    list_name: str
    values: tuple[str, ...]


class ReadSide(msgspec.Struct, frozen=True, tag_field=ASK, tag="read_side"):
    """Make a document of one side alone, from which an author goes on."""

    document: Document
    side: Side


class ReadModel(msgspec.Struct, frozen=True, tag_field=ASK, tag="read_model"):
    """Give the document of a model."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


Request = Read | ChangeRule | TakeOff | ReadSide | ReadModel


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of a request."""

    document: str
    """As it is after the edit."""
    outline: RulesetOutline | None = None
    """None where the document has a problem."""
    problems: tuple[DocumentProblem, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    """Why the text cannot be edited as was asked; empty where it was."""
    first_line: int = 1
    """Line of the document at which the rule begins that was changed."""


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model."""

    model: str | None
    """Its document, JSON; None where no model of this name is kept."""
    baseline: str | None = None
    """What its training window was like, JSON; None where that is not kept."""
