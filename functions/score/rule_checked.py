"""What CEL made of a condition: the checked expression, read from its serialized form.

The binding gives it only as bytes, a ``cel.expr.CheckedExpr`` (github.com/google/cel-spec, proto/cel/expr/checked.proto and
syntax.proto) in a ``google.protobuf.Any``. Of protobuf's wire format that needs only three kinds of field; the protobuf package
would add more to the function than all rules do.
"""

import struct
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_PRIMITIVES: Final = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_OTHER: Final = "other"


class Constant(msgspec.Struct, frozen=True):
    """A bool, int, double or string that stands in the condition."""

    id: int
    value: bool | int | float | str


class Variable(msgspec.Struct, frozen=True):
    """A feature, or the truth value of a list."""

    id: int
    name: str


class Call(msgspec.Struct, frozen=True):
    """An operator or a function, with what it may mean for its arguments' types."""

    id: int
    overloads: "tuple[str, ...]"
    arguments: "tuple[Node, ...]"
    """The receiver of a method first."""


class ListOf(msgspec.Struct, frozen=True):
    """A list that stands in the condition."""

    id: int
    elements: "tuple[Node, ...]"


class Other(msgspec.Struct, frozen=True):
    """Anything else: an unsigned number, a map, a macro."""

    id: int


Node = Constant | Variable | Call | ListOf | Other


class CheckedExpression(msgspec.Struct, frozen=True):
    """A condition that CEL has parsed and type-checked."""

    root: Node
    types: "Mapping[int, str]"
    """By id of the node: ``bool``, ``int``, ``double``, ``string``, ``uint``, ``bytes`` or ``other``."""

    def type_of(self, node: Node) -> str:
        """CEL's type of a node, in one word."""
        return self.types.get(node.id, _OTHER)


def read_checked(serialized: bytes) -> CheckedExpression:
    """Read the serialized form of an expression.

    Parameters
    ----------
    serialized : bytes
        As ``cel.Expression.serialize`` gives it.

    Raises
    ------
    ValueError
        Where it is not of that form.
    """
    checked = _Message(_Message(serialized).raw(2))
    references = {entry.integer(1): _Message(entry.raw(2)) for entry in checked.messages(2)}
    types = {entry.integer(1): _type(_Message(entry.raw(2))) for entry in checked.messages(3)}
    return CheckedExpression(_node(_Message(checked.raw(4)), references), types)


def _type(message: "_Message") -> str:
    return _PRIMITIVES.get(message.integer(3), _OTHER)


def _node(expression: "_Message", references: "Mapping[int, _Message]") -> Node:
    number = expression.integer(2)
    reference = references.get(number)
    if expression.has(3):
        return _constant(number, _Message(expression.raw(3)))
    if expression.has(4):
        if reference is not None and reference.has(4):  # a name that stands for a constant
            return _constant(number, _Message(reference.raw(4)))
        return Variable(number, _Message(expression.raw(4)).text(1))
    if expression.has(6):
        call = _Message(expression.raw(6))
        arguments = [*call.messages(1), *call.messages(3)]
        overloads = reference.texts(3) if reference is not None else ()
        return Call(number, tuple(overloads), tuple(_node(each, references) for each in arguments))
    if expression.has(7):
        elements = _Message(expression.raw(7)).messages(1)
        return ListOf(number, tuple(_node(each, references) for each in elements))
    return Other(number)


def _constant(number: int, message: "_Message") -> Node:
    if message.has(2):
        return Constant(number, bool(message.integer(2)))
    if message.has(3):
        unsigned = message.integer(3)
        return Constant(number, unsigned - (1 << 64) if unsigned >> 63 else unsigned)
    if message.has(5):
        return Constant(number, message.double(5))
    if message.has(6):
        return Constant(number, message.text(6))
    return Other(number)


class _Message:
    """Fields of one protobuf message: https://protobuf.dev/programming-guides/encoding."""

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = {}
        for number, value in _read_fields(data):
            self._fields.setdefault(number, []).append(value)

    def has(self, number: int) -> bool:
        return number in self._fields

    def integer(self, number: int) -> int:
        value = self._fields.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is not a number")
        return value

    def raw(self, number: int) -> bytes:
        return self._all(number)[-1] if self.has(number) else b""

    def double(self, number: int) -> float:
        value: float = struct.unpack("<d", self.raw(number))[0]
        return value

    def text(self, number: int) -> str:
        return self.raw(number).decode()

    def texts(self, number: int) -> "Sequence[str]":
        return [value.decode() for value in self._all(number)]

    def messages(self, number: int) -> "Sequence[_Message]":
        return [_Message(value) for value in self._all(number)]

    def _all(self, number: int) -> "list[bytes]":
        values = [value for value in self._fields.get(number, []) if isinstance(value, bytes)]
        if len(values) != len(self._fields.get(number, [])):
            raise ValueError(f"field {number} is a number")
        return values


def _read_fields(data: bytes) -> "Iterator[tuple[int, int | bytes]]":
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(data, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if place + size > len(data):
            raise ValueError("cut")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("cut")
