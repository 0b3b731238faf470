"""A variables file as Python values: literals, lists, objects, and the comment behind a setting. Nothing else is HCL here.

A file that holds an expression is refused: what an environment is, its file says by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ops.errors import OpsError

if TYPE_CHECKING:
    from pathlib import Path

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_TOKEN: Final = re.compile(
    r"""
    (?P<comment>\#[^\n]*) | (?P<space>[ \t\r,]+) | (?P<newline>\n)
    | (?P<string>"(?:[^"\\$]|\\.)*") | (?P<number>-?\d+(?:\.\d+)?) | (?P<name>[A-Za-z_][\w-]*) | (?P<sign>[=\[\]{}])
    """,
    re.VERBOSE,
)
_WORDS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}


class _Reader:
    """Reads one file from left to right."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._tokens: list[tuple[str, str, int]] = []
        self.comments: dict[int, str] = {}
        """By line: what stands behind a setting."""
        position, line = 0, 1
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None or found.lastgroup is None:
                raise OpsError(
                    f"{name}:{line}: only literal values are read, not {text[position : position + 20]!r}."
                )
            if found.lastgroup == "comment":
                self.comments[line] = found[0].lstrip("# ").rstrip()
            elif found.lastgroup not in ("space", "newline"):
                self._tokens.append((found.lastgroup, found[0], line))
            line += found[0].count("\n")
            position = found.end()
        self._next = 0

    def at_end(self) -> bool:
        return self._next == len(self._tokens)

    def take(self, wanted: str | None = None) -> tuple[str, str, int]:
        if self.at_end():
            raise OpsError(f"{self._name} ends too early.")
        token = self._tokens[self._next]
        self._next += 1
        if wanted is not None and token[1] != wanted:
            raise OpsError(f"{self._name}:{token[2]}: {wanted!r} is expected, not {token[1]!r}.")
        return token

    def ahead(self) -> str:
        return "" if self.at_end() else self._tokens[self._next][1]

    def value(self) -> Value:
        kind, text, line = self.take()
        if kind == "string":
            return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text in _WORDS:
            return _WORDS[text]
        if text == "[":
            items = []
            while self.ahead() != "]":
                items.append(self.value())
            self.take("]")
            return items
        if text == "{":
            entries: dict[str, Value] = {}
            while self.ahead() != "}":
                key = self.take()[1].strip('"')
                self.take("=")
                entries[key] = self.value()
            self.take("}")
            return entries
        raise OpsError(f"{self._name}:{line}: only literal values are read, not {text!r}.")


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
        What stands behind a setting on its line, by the setting's path, as in ``cache.node_type``.

    Raises
    ------
    OpsError
        Naming file and line, where it holds more than literals.
    """
    reader = _Reader(text, name)
    values: dict[str, Value] = {}
    while not reader.at_end():
        key = reader.take()[1]
        reader.take("=")
        values[key] = reader.value()
    comments: dict[str, str] = {}
    for line, comment in reader.comments.items():
        before = text.splitlines()[line - 1].split("#", maxsplit=1)[0]
        # The last name set on the line is what the comment is about.
        names = re.findall(r"([\w-]+)\s*=", before)
        if names:
            comments.update({path: comment for path in flatten(values) if path.split(".")[-1] == names[-1]})
    return values, comments


def flatten(values: dict[str, Value], prefix: str = "") -> dict[str, Value]:
    """Name each setting by its path; a list is one setting."""
    flat: dict[str, Value] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{path}.")
        else:
            flat[path] = value
    return flat


def read_file(file: Path) -> tuple[dict[str, Value], dict[str, str]]:
    """Read a variables file by its path."""
    return read_tfvars(file.read_text(), file.name)
