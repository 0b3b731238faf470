"""Typed reading of a ruleset's YAML, node by node, so that every problem keeps its line and column.

Only the safe part of YAML is used: text, numbers, lists and mappings. Nothing is constructed from tags, a key may occur
once, and what looks like text must be text: ``NO`` without quotes is a truth value in YAML, not Norway.
"""

from __future__ import annotations

import difflib
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec
import yaml

from engine.errors import InvalidRulesetError, RulesetProblem
from engine.rules.document_positions import Lines, Place, index_in_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_DOCUMENT_BYTES: Final = 256 * 1024
"""The largest ruleset document, in bytes of UTF-8."""

_TAG: Final = "tag:yaml.org,2002:"
_KINDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "a truth value",
    "null": "nothing",
    "timestamp": "a date",
    "seq": "a list",
    "map": "a mapping",
}
_DECIMAL: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?")
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")
_FIELD_NAME: Final = re.compile(r"[a-z_]{1,40}")
_YAML_WORD: Final = re.compile(r"yes|no|on|off|true|false|null|~|<<", re.IGNORECASE)


def decode_document(data: bytes, source: str) -> str:
    """Decode the bytes of a document.

    Parameters
    ----------
    data : bytes
        As stored.
    source : str
        The document's name in messages.

    Returns
    -------
    str

    Raises
    ------
    InvalidRulesetError
        If it is not UTF-8; names line and column.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = Place(data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start))
        problem = RulesetProblem(source, place.line, place.column, f"not UTF-8 ({error.reason})")
        raise InvalidRulesetError((problem,)) from error


class TextProblem(msgspec.Struct, frozen=True):
    """What is wrong with a text, and its place in the text."""

    message: str
    offset: int | None = None
    """0-based index into the text; None if the whole text is meant."""


class Reader:
    """Typed access to the nodes of one document. Problems are collected, not raised.

    Parameters
    ----------
    text : str
        The document.
    source : str
        Its name in messages.
    """

    def __init__(self, text: str, source: str) -> None:
        self._text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._lines = Lines(self._text)
        self._source = source
        self._rule_id: str | None = None
        self._problems: list[RulesetProblem] = []

    @property
    def problems(self) -> tuple[RulesetProblem, ...]:
        """The problems found so far, in the order of the document."""
        return tuple(sorted(self._problems, key=lambda problem: (problem.line, problem.column)))

    @property
    def problem_count(self) -> int:
        """How many problems were found so far."""
        return len(self._problems)

    def of_rule(self, rule_id: str | None) -> Reader:
        """Give a reader of the same document that reports its problems as those of one rule."""
        reader = Reader.__new__(Reader)
        reader._text, reader._lines, reader._source = self._text, self._lines, self._source
        reader._problems = self._problems
        reader._rule_id = rule_id
        return reader

    def root(self) -> yaml.Node | None:
        """Parse the document; None, and a problem, if it is not YAML."""
        size = len(self._text.encode("utf-8", "surrogatepass"))
        if size > MAX_DOCUMENT_BYTES:
            self._report(0, f"document of {size} bytes; at most {MAX_DOCUMENT_BYTES}")
            return None
        try:
            node = yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = f" ({error.context})" if error.context else ""
            self._report(mark.index if mark else 0, f"not YAML: {error.problem}{context}")
        except yaml.reader.ReaderError as error:
            self._report(error.position, f"not YAML: {error.reason}")
        except (ValueError, OverflowError) as error:
            # PyYAML's own int() and chr() fail on some escapes and directives, for example "\\UFFFFFFFF".
            self._report(0, f"not YAML: {error}")
        except RecursionError:
            self._report(0, "nested too deeply")
        else:
            if node is None:
                self._report(0, "empty")
            return node
        return None

    def report(self, node: yaml.Node, message: str, offset: int | None = None) -> None:
        """Report a problem.

        Parameters
        ----------
        node : yaml.Node
            Where it is.
        message : str
            What is wrong, and what is allowed.
        offset : int | None
            Index into a scalar's value, if the place is known so exactly.
        """
        if offset is not None and isinstance(node, yaml.ScalarNode):
            self._report(index_in_scalar(self._text, node, offset), message)
        else:
            self._report(node.start_mark.index, message)

    def fields(
        self, node: yaml.Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """Read a mapping whose keys are known.

        Parameters
        ----------
        node : yaml.Node
            The mapping.
        what : str
            Its name in messages.
        required, optional : Iterable[str]
            The keys that it must and may have.

        Returns
        -------
        dict[str, yaml.Node]
            The known keys that the mapping has, with their values.
        """
        required, optional = tuple(required), tuple(optional)
        known = (*required, *optional)
        if not isinstance(node, yaml.MappingNode):
            self.report(node, f"{what} is {kind_of(node)}; it must be a mapping with {', '.join(required)}")
            return {}
        found: dict[str, yaml.Node] = {}
        for name, (key, value) in self.entries(node, what).items():
            if name in known:
                found[name] = value
                continue
            guess = suggestion(name, known)
            if guess or _FIELD_NAME.fullmatch(name):
                self.report(key, f"{what} has no field '{name}'{guess}")
            else:
                # It does not look like a field: it may be an entry of a list, written as a key, and messages are logged.
                self.report(key, f"{what} has no such field; it may have {', '.join(known)}")
        for name in required:
            if name not in found:
                self.report(node, f"{what} has no '{name}', which is required")
        return found

    def entries(self, node: yaml.Node, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Read a mapping whose keys are names: name to its key and value. A key that appears twice is a problem."""
        if not isinstance(node, yaml.MappingNode):
            self.report(node, f"{what} is {kind_of(node)}; it must be a mapping")
            return {}
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = self.text(key, f"a key of {what}")
            if name is None:
                continue
            if name in found:
                first = self._lines.place(found[name][0].start_mark.index)
                self.report(key, f"'{name}' appears twice in {what}; first in line {first.line}")
            else:
                found[name] = (key, value)
        return found

    def items(self, node: yaml.Node, what: str, maximum: int) -> list[yaml.Node]:
        """Read a list of at most `maximum` items."""
        if not isinstance(node, yaml.SequenceNode):
            self.report(node, f"{what} is {kind_of(node)}; it must be a list")
            return []
        if len(node.value) > maximum:
            self.report(node, f"{what} has {len(node.value)} items; at most {maximum}")
            return []
        return list(node.value)

    def text(
        self,
        node: yaml.Node,
        what: str,
        maximum: int = 1_000,
        multiline: bool = False,
        *,
        is_checked_later: bool = False,
    ) -> str | None:
        """Read text of 1 to `maximum` printable characters; line ends and tabs only if `multiline` allows them.

        `is_checked_later` allows all characters: the caller refuses those that it has no use for.
        """
        if not isinstance(node, yaml.ScalarNode) or node.tag != f"{_TAG}str":
            self.report(node, f"{what} is {kind_of(node)}; it must be text{_quoting_hint(node)}")
            return None
        value: str = node.value
        if not value.strip():
            self.report(node, f"{what} is empty")
            return None
        if len(value) > maximum:
            self.report(node, f"{what} has {len(value)} characters; at most {maximum}")
            return None
        if is_checked_later:
            return value
        allowed = "\n\t" if multiline else ""
        for offset, character in enumerate(value):
            if not character.isprintable() and character not in allowed:
                self.report(node, f"{what} has an unprintable character (U+{ord(character):04X})", offset)
                return None
        return value

    def name(self, node: yaml.Node, what: str, pattern: re.Pattern[str], rule: str) -> str | None:
        """Read text that matches `pattern` as a whole; `rule` describes the pattern in words."""
        value = self.text(node, what)
        if value is not None and not pattern.fullmatch(value):
            self.report(node, f"{what} '{value[:60]}' must be {rule}")
            return None
        return value

    def choice(self, node: yaml.Node, what: str, allowed: Iterable[str]) -> str | None:
        """Read one of a few words."""
        allowed = tuple(allowed)
        value = self.text(node, what)
        if value is not None and value not in allowed:
            self.report(
                node, f"{what} '{value[:60]}' is none of {', '.join(allowed)}{suggestion(value, allowed)}"
            )
            return None
        return value

    def integer(self, node: yaml.Node, what: str, minimum: int, maximum: int) -> int | None:
        """Read a whole number in decimal digits, from `minimum` to `maximum`."""
        if (
            not isinstance(node, yaml.ScalarNode)
            or node.tag != f"{_TAG}int"
            or not _INTEGER.fullmatch(node.value)
        ):
            self.report(node, f"{what} is {kind_of(node)}; it must be a whole number")
            return None
        value = int(node.value)
        if not minimum <= value <= maximum:
            self.report(node, f"{what} is {value}; it must be {minimum} to {maximum}")
            return None
        return value

    def decimal(self, node: yaml.Node, what: str, minimum: Decimal, maximum: Decimal) -> Decimal | None:
        """Read a decimal number from `minimum` to `maximum`."""
        is_number = isinstance(node, yaml.ScalarNode) and node.tag in (f"{_TAG}int", f"{_TAG}float")
        if not is_number or not _DECIMAL.fullmatch(node.value):
            self.report(node, f"{what} is {kind_of(node)}; it must be a decimal number")
            return None
        value = Decimal(node.value)
        if not minimum <= value <= maximum:
            self.report(node, f"{what} is {node.value[:40]}; it must be {minimum:f} to {maximum:f}")
            return None
        return value

    def moment(self, node: yaml.Node, what: str) -> str | None:
        """Read the text of a date or time, which YAML takes for text or for a date."""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (f"{_TAG}str", f"{_TAG}timestamp"):
            self.report(node, f"{what} is {kind_of(node)}; it must be a date or an RFC 3339 time")
            return None
        value: str = node.value
        return value

    def _report(self, index: int, message: str) -> None:
        place = self._lines.place(index)
        self._problems.append(
            RulesetProblem(
                source=self._source,
                line=place.line,
                column=place.column,
                message=message,
                rule_id=self._rule_id,
                excerpt=self._lines.excerpt(place),
            )
        )


def kind_of(node: yaml.Node) -> str:
    """Name the kind of a node in a message."""
    return _KINDS.get(node.tag.removeprefix(_TAG), f"tagged {node.tag[:40]}")


def suggestion(name: str, known: Iterable[str] | Mapping[str, object]) -> str:
    """Suggest the nearest known name, for the end of a message; empty if none is near.

    Examples
    --------
    >>> suggestion("amuont", ["amount", "country"])
    "; did you mean 'amount'?"
    """
    nearest = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{nearest[0]}'?" if nearest else ""


def is_short_scalar(node: yaml.Node) -> bool:
    """Whether a node is a single value that a message can quote: 1 to 60 printable characters."""
    return isinstance(node, yaml.ScalarNode) and 0 < len(node.value) <= 60 and node.value.isprintable()


def _quoting_hint(node: yaml.Node) -> str:
    # Messages are logged, and a number may be a card or an account of a list: only YAML's own words are quoted.
    if not isinstance(node, yaml.ScalarNode) or not node.value:
        return ""
    word = f": '{node.value}'" if _YAML_WORD.fullmatch(node.value) else ""
    return f"; write it in quotes{word}"
