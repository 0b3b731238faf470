"""A ruleset: the document in which fraud analysts describe what is suspicious, read and checked as a whole.

:func:`parse_ruleset` accepts a document, or refuses it and names everything that is wrong with it. `engine.decide` makes the
decision; this module only says which rules hold.
"""

from __future__ import annotations

import hashlib
from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import yaml

from contract.side import Side
from engine.errors import InvalidRulesetError
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import in_order
from engine.rules.cel.conditions import IS_RATE_KNOWN, LIST_PREFIX, Program, Vocabulary
from engine.rules.currency_section import read_currency, read_rates
from engine.rules.document import Reader
from engine.rules.guardrails import DEFAULT_GUARDRAILS, read_guardrails
from engine.rules.lists import NamedList, read_lists
from engine.rules.model_section import no_models, read_model_section
from engine.rules.rule_section import Rule, read_rules
from engine.rules.sides import DRAW_KEY_DIGITS, MAX_SHARE_PERCENT, UserDraw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.scored import FeatureValue
    from contract.transaction import Transaction
    from engine.rules.guardrails import Guardrails
    from engine.rules.model_section import Models, RulesetModel

MAX_SCORE: Final = 100
"""The highest risk score; the lowest is 0."""

_HEXADECIMAL: Final = frozenset("0123456789abcdef")
_OF_CHAMPION: Final = frozenset({"base_currency", "exchange_rates", "candidate"})
"""Fields of the ruleset that a candidate cannot have."""


class Thresholds(msgspec.Struct, frozen=True):
    """The scores from which a payment is reviewed or blocked; ``0 < review < block <= 100``."""

    review: int
    block: int


class Matches(msgspec.Struct, frozen=True):
    """Which rules hold for one payment."""

    rules: tuple[Rule, ...]
    """Rules whose condition is true, in the order of the document."""
    failed_rule_ids: tuple[str, ...]
    """Rules that could not be evaluated for it."""


_NO_MATCHES: Final = Matches((), ())


class Ruleset:
    """A checked ruleset. Immutable; made by :func:`parse_ruleset`."""

    def __init__(
        self,
        *,
        version: str,
        digest: str,
        base_currency: str,
        rates: Mapping[str, float],
        thresholds: Thresholds,
        lists: Sequence[NamedList],
        rules: Sequence[Rule],
        program: Program,
        model: RulesetModel | None = None,
    ) -> None:
        self._version = version
        self._digest = digest
        self._base_currency = base_currency
        self._exchange = ExchangeRates({**rates, base_currency: 1.0})
        self._thresholds = thresholds
        self._rules = tuple(rules)
        self._lists = tuple(lists)
        self._program = program
        self._model = model
        # Only what some condition uses is looked up.
        self._used_lists = tuple(
            (f"{LIST_PREFIX}{each.name}", each)
            for each in lists
            if f"{LIST_PREFIX}{each.name}" in program.variables
        )
        self._uses_rate = IS_RATE_KNOWN in program.variables
        self._guardrails = DEFAULT_GUARDRAILS
        self._candidate: Candidate | None = None

    @property
    def version(self) -> str:
        """The version, as the document states it."""
        return self._version

    @property
    def digest(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the document's text. It distinguishes two documents of the same version."""
        return self._digest

    @property
    def stored_version(self) -> str:
        """Version and digest, as rows name the ruleset: authors may forget to change the version."""
        return f"{self._version}+{self._digest}"

    @property
    def base_currency(self) -> str:
        """ISO 4217 code of the currency in which amounts are compared."""
        return self._base_currency

    def worth(self, amount: Decimal, currency: str) -> Decimal | None:
        """Convert an amount, in major units, into the base currency, rounded to its minor unit; None without a rate."""
        return self._exchange.convert(amount, currency, self._base_currency)

    @property
    def exchange(self) -> ExchangeRates:
        """Exchange rates to the base currency, including its own."""
        return self._exchange

    @property
    def thresholds(self) -> Thresholds:
        """Scores from which a payment is reviewed or blocked."""
        return self._thresholds

    @property
    def lists(self) -> tuple[NamedList, ...]:
        """Allow and deny lists, in the order of the document."""
        return self._lists

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, in the order of the document."""
        return self._rules

    @property
    def model(self) -> RulesetModel | None:
        """The model, and the points that it gives; None without one."""
        return self._model

    @property
    def variables(self) -> frozenset[str]:
        """What conditions use: features, and what they know beside these."""
        return self._program.variables

    @property
    def model_sha256(self) -> str | None:
        """The model's name; None without one."""
        return None if self._model is None else self._model.model.sha256

    @property
    def guardrails(self) -> Guardrails:
        """How far the candidate may be from this ruleset: its own guardrails, or those that this one has for any candidate."""
        if self._candidate is not None and self._candidate.guardrails is not None:
            return self._candidate.guardrails
        return self._guardrails

    @property
    def candidate(self) -> Candidate | None:
        """The second ruleset of the same document; None without one, and of a candidate itself."""
        return self._candidate

    @property
    def sides(self) -> tuple[Ruleset, ...]:
        """The champion, which is this ruleset, and the candidate's if there is one."""
        return (self,) if self._candidate is None else (self, self._candidate.ruleset)

    def of_side(self, side: Side) -> Ruleset:
        """The rules of one side; the champion's where there is no candidate."""
        if side is Side.CHAMPION or self._candidate is None:
            return self
        return self._candidate.ruleset

    def deciding_for(self, user_id: str) -> Ruleset:
        """The rules of the side that decides for a user."""
        if self._candidate is None:
            return self
        return self.of_side(self._candidate.draw.side_of(user_id))

    def with_model(self, model: RulesetModel) -> Ruleset:
        """Give the champion with another model: for measuring a model before a document names it."""
        other = self.without_candidate()
        other._model = model
        return other

    def without_model(self) -> Ruleset:
        """Give the champion's rules alone."""
        other = self.without_candidate()
        other._model = None
        return other

    def without_candidate(self) -> Ruleset:
        """Give the champion alone."""
        other = copy(self)
        other._candidate = None
        return other

    def matches(
        self, features: Mapping[str, FeatureValue], transaction: Transaction, clock_ms: int
    ) -> Matches:
        """Find the rules that hold for a payment. Pure; never raises for features of the catalogue's types.

        Parameters
        ----------
        features : Mapping[str, FeatureValue]
            Every feature of the catalogue.
        transaction : Transaction
            The payment; only its currency and the fields of lists are used.
        clock_ms : int
            Its clock, by which list entries expire; ms since the epoch.

        Returns
        -------
        Matches
        """
        others = {name: each.holds(transaction, clock_ms) for name, each in self._used_lists}
        if self._uses_rate:
            others[IS_RATE_KNOWN] = transaction.currency in self._exchange
        outcome = self._program.evaluate_in_order(in_order(features), others)
        if not outcome.holding and not outcome.failed:
            return _NO_MATCHES  # nearly every payment
        return Matches(
            tuple(self._rules[index] for index in outcome.holding),
            tuple(self._rules[index].id for index in outcome.failed),
        )


class Candidate(NamedTuple):
    """A second ruleset in the document of the first, the champion."""

    ruleset: Ruleset
    """Its rules, thresholds, lists and model, with the champion's currency and rates."""
    draw: UserDraw
    """For whom it decides."""
    guardrails: Guardrails | None = None
    """Its own; they leave with it. None where it has those of the champion."""


def parse_ruleset(text: str, source: str = "ruleset", models: Models = no_models) -> Ruleset:
    """Read and check a ruleset document.

    Parameters
    ----------
    text : str
        YAML (or JSON, which is YAML too), at most 256 KiB.
    source : str
        The document's name in messages, for example a path.
    models : Models
        Where the document of the model that the ruleset names comes from.

    Returns
    -------
    Ruleset
        Checked as a whole: every name, type, reference and template in it.

    Raises
    ------
    InvalidRulesetError
        With every problem, each with rule, line and column.
    """
    reader = Reader(text, source)
    root = reader.root()
    ruleset = _read_ruleset(reader, root, text, models) if root is not None else None
    if reader.problems or ruleset is None:
        raise InvalidRulesetError(reader.problems)
    return ruleset


def _read_ruleset(reader: Reader, root: yaml.Node, text: str, models: Models) -> Ruleset | None:
    """Read the ruleset; None if a problem was reported."""
    fields = reader.fields(
        root,
        "the ruleset",
        required=("version", "base_currency", "thresholds", "rules"),
        optional=("exchange_rates", "lists", "model", "description", "guardrails", "candidate"),
    )
    base_currency = read_currency(reader, fields["base_currency"]) if "base_currency" in fields else None
    rates = read_rates(reader, fields["exchange_rates"], base_currency) if "exchange_rates" in fields else {}
    shared = _Shared(hashlib.sha256(text.encode()).hexdigest()[:12], base_currency, rates, models)
    lists = read_lists(reader, fields["lists"]) if "lists" in fields else ()
    ruleset = _read_side(reader, fields, shared, lists)
    guardrails = read_guardrails(reader, fields["guardrails"]) if "guardrails" in fields else None
    candidate = _read_candidate(reader, fields, shared, lists) if "candidate" in fields else None
    if reader.problems or ruleset is None:
        return None
    ruleset._guardrails = guardrails or DEFAULT_GUARDRAILS
    ruleset._candidate = candidate
    return ruleset


class _Shared(NamedTuple):
    """What champion and candidate have in common."""

    digest: str
    base_currency: str | None
    rates: Mapping[str, float]
    models: Models


def _read_side(
    reader: Reader, fields: Mapping[str, yaml.Node], shared: _Shared, lists: Sequence[NamedList]
) -> Ruleset | None:
    """Read champion or candidate; None if a problem was reported."""
    version = reader.text(fields["version"], "version", 64) if "version" in fields else None
    if "description" in fields:
        reader.text(fields["description"], "description", 4_000, multiline=True)
    thresholds = _read_thresholds(reader, fields["thresholds"]) if "thresholds" in fields else None
    vocabulary = Vocabulary(
        [each.name for each in lists], [each.name for each in lists if not each.until_by_value]
    )
    rules = read_rules(reader, fields["rules"], vocabulary) if "rules" in fields else []
    model = (
        read_model_section(reader, fields["model"], shared.base_currency, shared.models)
        if "model" in fields
        else None
    )
    if reader.problems or version is None or shared.base_currency is None or thresholds is None:
        return None
    return Ruleset(
        version=version,
        digest=shared.digest,
        base_currency=shared.base_currency,
        rates=shared.rates,
        thresholds=thresholds,
        lists=lists,
        rules=rules,
        program=vocabulary.compile([rule.when for rule in rules]),
        model=model,
    )


def _read_candidate(
    reader: Reader, of_champion: Mapping[str, yaml.Node], shared: _Shared, lists: Sequence[NamedList]
) -> Candidate | None:
    node = of_champion["candidate"]
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value in _OF_CHAMPION:
            reader.report(key, f"a candidate has the champion's {key.value}; leave it out")
            return None
    fields = reader.fields(
        node,
        "candidate",
        required=("version", "share", "thresholds", "rules"),
        optional=("draw_key", "lists", "model", "description", "guardrails"),
    )
    share = (
        reader.decimal(fields["share"], "share", Decimal(0), Decimal(MAX_SHARE_PERCENT))
        if "share" in fields
        else None
    )
    draw_key = _read_draw_key(reader, fields["draw_key"]) if "draw_key" in fields else None
    if "lists" in fields:
        lists = read_lists(reader, fields["lists"])
    guardrails = read_guardrails(reader, fields["guardrails"]) if "guardrails" in fields else None
    ruleset = _read_side(reader, fields, shared, lists)
    if ruleset is not None and ruleset.version == of_champion["version"].value:
        reader.report(
            fields["version"],
            f"the candidate's version is the champion's, '{ruleset.version}'; it needs one of its own",
        )
    return (
        None
        if ruleset is None or share is None
        else Candidate(ruleset, UserDraw(ruleset.version, float(share), draw_key), guardrails)
    )


def _read_draw_key(reader: Reader, node: yaml.Node) -> str | None:
    key = reader.text(node, "draw_key", DRAW_KEY_DIGITS)
    if key is not None and (len(key) != DRAW_KEY_DIGITS or not _HEXADECIMAL.issuperset(key)):
        reader.report(node, f"draw_key must be {DRAW_KEY_DIGITS} random hexadecimal digits, in lower case")
        return None
    return key


def _read_thresholds(reader: Reader, node: yaml.Node) -> Thresholds | None:
    fields = reader.fields(node, "thresholds", ("review", "block"))
    scores = {
        name: reader.integer(value, f"threshold '{name}'", 1, MAX_SCORE) for name, value in fields.items()
    }
    review, block = scores.get("review"), scores.get("block")
    if review is None or block is None:
        return None
    if review >= block:
        reader.report(fields["review"], f"threshold 'review' is {review}; it must be below 'block', {block}")
        return None
    return Thresholds(review, block)
