"""Variables files and backend files as Python values, and the comment behind each setting. python-hcl2 reads the HCL itself.

A file that holds more than literal values is refused: these files hold only values, no expressions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import hcl2
from hcl2.utils import process_escape_sequences
from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_WORDS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}


def read_tfvars(text: str, name: str = "variables") -> tuple[dict[str, Value], dict[str, str]]:
    """Read a variables file.

    Parameters
    ----------
    text : str
        Its text.
    name : str
        What errors call it.

    Returns
    -------
    values : dict
        By variable.
    comments : dict
        The comment behind a setting, by the setting's path, such as ``cache.node_type``. If a line has several settings, the
        comment belongs to the last one.

    Raises
    ------
    OpsError
        Naming file and line, if the file is not HCL or holds more than literal values.
    """
    reader = _Reader(text, name)
    tree = reader.parse()
    values = {key: reader.value(node) for key, _, node in reader.entries(tree)}
    path_by_line = {line: path for path, line in reader.settings(tree)}
    comments = {path_by_line[line]: said for line, said in reader.comments(tree) if line in path_by_line}
    return values, comments


def read_file(file: Path) -> tuple[dict[str, Value], dict[str, str]]:
    """Read a variables file by its path."""
    return read_tfvars(file.read_text(), file.name)


def flatten(values: Mapping[str, Value], prefix: str = "") -> dict[str, Value]:
    """Name each setting by its path; a list is one setting."""
    flat: dict[str, Value] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{path}.")
        else:
            flat[path] = value
    return flat


class _Reader:
    """Turns python-hcl2's tree of one file into values. Its own conversion gives expressions as text, without their lines."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name

    def parse(self) -> Tree[Token]:
        """Give the tree of the file's body."""
        try:
            (body,) = hcl2.parses_to_tree(self._text).children
        except UnexpectedInput as error:
            found = str(getattr(error, "token", getattr(error, "char", "")))
            where = repr(found.strip().splitlines()[0]) if found.strip() else "the end of the line"
            why = f"{where} is not expected here" if found else "the file ends too early"
            raise OpsError(f"{self._name}:{error.line}: {why}.") from error
        return body

    def entries(self, node: Tree[Token]) -> Iterator[tuple[str, int, Tree[Token]]]:
        """Give key, line and value's node of each setting of the body or of an object."""
        for entry in _trees(node):
            if entry.data not in ("attribute", "object_elem"):
                raise self._refusal(entry)
            key, value = _trees(entry)
            yield self._key(key), entry.meta.line, value

    def value(self, node: Tree[Token]) -> Value:
        """Evaluate a literal."""
        inner = _trees(node)
        match node.data, [str(child) for child in node.children if isinstance(child, Token)]:
            case "expr_term", []:
                return self.value(inner[0])
            case "int_lit", [digits]:
                return int(digits)
            case "float_lit", [digits]:
                return float(digits)
            case "unary_op", ["-"]:
                number = self.value(inner[0])
                if isinstance(number, int | float) and not isinstance(number, bool):
                    return -number
            case "literal_value", [word]:
                return _WORDS[word]
            case "string", _:
                return "".join(self._characters(part) for part in inner)
            case "tuple", _:
                return [self.value(item) for item in inner]
            case "object", _:
                return {key: self.value(value) for key, _, value in self.entries(node)}
        raise self._refusal(node)

    def settings(self, node: Tree[Token], prefix: str = "") -> Iterator[tuple[str, int]]:
        """Give path and line of each setting that is no object, in their order."""
        for key, line, value in self.entries(node):
            objects = [inner for inner in _trees(value) if inner.data == "object" and _trees(inner)]
            if not objects:
                yield f"{prefix}{key}", line
            for inner in objects:
                yield from self.settings(inner, f"{prefix}{key}.")

    def comments(self, tree: Tree[Token]) -> Iterator[tuple[int, str]]:
        """Give line and text of each comment."""
        for token in tree.scan_values(lambda value: isinstance(value, Token)):
            if token.type == "NL_OR_COMMENT" and token.startswith(("#", "//")) and token.line:
                yield token.line, token.lstrip("#/ ").rstrip()

    def _key(self, node: Tree[Token]) -> str:
        inner: Tree[Token] | Token = node
        while isinstance(inner, Tree) and len(inner.children) == 1:
            inner = inner.children[0]
        if isinstance(inner, Tree):
            return str(self.value(inner))
        return str(inner)

    def _characters(self, part: Tree[Token]) -> str:
        (child,) = part.children
        if not isinstance(child, Token) or child.type != "STRING_CHARS":
            raise self._refusal(part)
        return process_escape_sequences(child)

    def _refusal(self, node: Tree[Token]) -> OpsError:
        found = self._text[node.meta.start_pos : node.meta.end_pos].splitlines()[0]
        return OpsError(f"{self._name}:{node.meta.line}: only literal values are read, not {found!r}.")


def _trees(node: Tree[Token]) -> list[Tree[Token]]:
    """Children that are rules, without line ends and comments."""
    return [
        child for child in node.children if isinstance(child, Tree) and child.data != "new_line_or_comment"
    ]
