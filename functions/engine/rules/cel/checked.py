"""A condition after CEL's type check, read from its serialized form.

The binding gives it only as bytes, a ``cel.expr.CheckedExpr`` (github.com/google/cel-spec, proto/cel/expr/checked.proto and
syntax.proto) in a ``google.protobuf.Any``. Reading it needs three field kinds of protobuf's wire format; the protobuf package
would be larger than all the code of the rules.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


# Field numbers of checked.proto and syntax.proto.


class _Any(IntEnum):
    VALUE = 2


class _Entry(IntEnum):
    KEY = 1
    VALUE = 2


class _Checked(IntEnum):
    REFERENCE_MAP = 2
    TYPE_MAP = 3
    EXPR = 4


class _Reference(IntEnum):
    OVERLOAD_ID = 3
    VALUE = 4


class _Expr(IntEnum):
    ID = 2
    CONST = 3
    IDENT = 4
    CALL = 6
    LIST = 7


class _Call(IntEnum):
    TARGET = 1
    ARGS = 3


class _Constant(IntEnum):
    BOOL = 2
    INT64 = 3
    DOUBLE = 5
    STRING = 6


_FIRST: Final = 1
"""The field of an identifier's name, and of a list's elements."""
_TYPE_PRIMITIVE: Final = 3
_PRIMITIVES: Final = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_OTHER: Final = "other"


class Constant(msgspec.Struct, frozen=True):
    """A bool, int, double or string in the condition."""

    id: int
    value: bool | int | float | str


class Variable(msgspec.Struct, frozen=True):
    """A feature, whether the payment is on a list, or whether the rate is known."""

    id: int
    name: str


class Call(msgspec.Struct, frozen=True):
    """An operator or a function, with the overloads that fit its arguments' types."""

    id: int
    overloads: tuple[str, ...]
    arguments: tuple[Node, ...]
    """The receiver of a method first."""


class ListOf(msgspec.Struct, frozen=True):
    """A list in the condition."""

    id: int
    elements: tuple[Node, ...]


class Other(msgspec.Struct, frozen=True):
    """Anything else: an unsigned number, a map, a macro."""

    id: int


Node = Constant | Variable | Call | ListOf | Other


class CheckedExpression(msgspec.Struct, frozen=True):
    """A condition that CEL has parsed and type-checked."""

    root: Node
    types: Mapping[int, str]
    """By id of the node: ``bool``, ``int``, ``double``, ``string``, ``uint``, ``bytes`` or ``other``."""

    def type_of(self, node: Node) -> str:
        """CEL's type of a node, in one word."""
        return self.types.get(node.id, _OTHER)


def read_checked(serialized: bytes) -> CheckedExpression:
    """Read the serialized form of an expression.

    Parameters
    ----------
    serialized : bytes
        The result of ``cel.Expression.serialize``.

    Raises
    ------
    ValueError
        If it is not of that form.
    """
    checked = _Message(_Message(serialized).raw(_Any.VALUE))
    references = {
        entry.integer(_Entry.KEY): _Message(entry.raw(_Entry.VALUE))
        for entry in checked.messages(_Checked.REFERENCE_MAP)
    }
    types = {
        entry.integer(_Entry.KEY): _type(_Message(entry.raw(_Entry.VALUE)))
        for entry in checked.messages(_Checked.TYPE_MAP)
    }
    return CheckedExpression(_node(_Message(checked.raw(_Checked.EXPR)), references), types)


def _type(message: _Message) -> str:
    return _PRIMITIVES.get(message.integer(_TYPE_PRIMITIVE), _OTHER)


def _node(expression: _Message, references: Mapping[int, _Message]) -> Node:
    number = expression.integer(_Expr.ID)
    reference = references.get(number)
    if expression.has(_Expr.CONST):
        return _constant(number, _Message(expression.raw(_Expr.CONST)))
    if expression.has(_Expr.IDENT):
        if reference is not None and reference.has(_Reference.VALUE):  # a name of a constant
            return _constant(number, _Message(reference.raw(_Reference.VALUE)))
        return Variable(number, _Message(expression.raw(_Expr.IDENT)).text(_FIRST))
    if expression.has(_Expr.CALL):
        call = _Message(expression.raw(_Expr.CALL))
        arguments = [*call.messages(_Call.TARGET), *call.messages(_Call.ARGS)]
        overloads = reference.texts(_Reference.OVERLOAD_ID) if reference is not None else ()
        return Call(number, tuple(overloads), tuple(_node(each, references) for each in arguments))
    if expression.has(_Expr.LIST):
        elements = _Message(expression.raw(_Expr.LIST)).messages(_FIRST)
        return ListOf(number, tuple(_node(each, references) for each in elements))
    return Other(number)


def _constant(number: int, message: _Message) -> Node:
    if message.has(_Constant.BOOL):
        return Constant(number, bool(message.integer(_Constant.BOOL)))
    if message.has(_Constant.INT64):
        unsigned = message.integer(_Constant.INT64)
        return Constant(number, unsigned - (1 << 64) if unsigned >> 63 else unsigned)
    if message.has(_Constant.DOUBLE):
        return Constant(number, message.double(_Constant.DOUBLE))
    if message.has(_Constant.STRING):
        return Constant(number, message.text(_Constant.STRING))
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

    def texts(self, number: int) -> Sequence[str]:
        return [value.decode() for value in self._all(number)]

    def messages(self, number: int) -> Sequence[_Message]:
        return [_Message(value) for value in self._all(number)]

    def _all(self, number: int) -> list[bytes]:
        values = [value for value in self._fields.get(number, []) if isinstance(value, bytes)]
        if len(values) != len(self._fields.get(number, [])):
            raise ValueError(f"field {number} is a number")
        return values


def _read_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
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
