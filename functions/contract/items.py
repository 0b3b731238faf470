"""DynamoDB's wire form of a row and back: ``{"amount": {"N": "12.50"}}``.

boto3's own serializer refuses floats and datetimes, and gives Decimal for every number; rows here hold both.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from contract.errors import InvalidRowError

if TYPE_CHECKING:
    from collections.abc import Mapping

Item = dict[str, dict[str, Any]]
"""Attribute name to typed value, as DynamoDB's low-level interface and its streams write it."""

RowT = TypeVar("RowT", bound=msgspec.Struct)


def to_item(row: msgspec.Struct) -> Item:
    """Write a row in DynamoDB's wire form; its times become fixed-width text, so that text order is time order.

    Parameters
    ----------
    row : msgspec.Struct
        Fields are attributes. With ``omit_defaults`` a field at its default is left out.

    Returns
    -------
    Item
        Ready for ``put_item``.

    Raises
    ------
    InvalidRowError
        Naming the model and the attribute, if the model could not read the row back: it is never stored. msgspec checks what it reads,
        and not what is made in the program.
    TypeError
        If a value has no DynamoDB type.
    """
    fields: dict[str, object] = msgspec.to_builtins(row, builtin_types=(Decimal, datetime))
    try:
        msgspec.convert(fields, type(row))
    except msgspec.ValidationError as error:
        raise _from_msgspec(type(row).__name__, error) from error
    return {name: to_attribute(value) for name, value in fields.items()}


def from_item(table: str, item: Mapping[str, Any], model: type[RowT]) -> RowT:
    """Read a row back; attributes that the model does not know are dropped.

    Parameters
    ----------
    table : str
        The table's interface name, for the error.
    item : Mapping
        In DynamoDB's wire form.
    model : type[msgspec.Struct]
        What the row must hold.

    Returns
    -------
    RowT
        Checked against the model.

    Raises
    ------
    InvalidRowError
        Naming the attribute that is missing or cannot be read; never its value.
    """
    values: dict[str, object] = {}
    for name, attribute in item.items():
        try:
            values[name] = _from_attribute(attribute)
        except (ValueError, ArithmeticError, AttributeError) as error:
            raise InvalidRowError(table, name, "not a typed value of DynamoDB") from error
    try:
        return msgspec.convert(values, model)
    except msgspec.ValidationError as error:
        raise _from_msgspec(table, error) from error


def to_attribute(value: object) -> dict[str, Any]:
    """Give a value its DynamoDB type; TypeError if there is none."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case Decimal():
            return {"N": f"{value:f}"}
        case int() | float():
            return {"N": repr(value)}
        case datetime():
            return {"S": value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
        case list() | tuple():
            return {"L": [to_attribute(element) for element in value]}
        case dict():
            return {"M": {name: to_attribute(element) for name, element in value.items()}}
    raise TypeError(f"{type(value).__name__} has no DynamoDB type here")


def _from_attribute(attribute: Mapping[str, Any]) -> object:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            number = Decimal(value)
            return int(number) if number == number.to_integral_value() else number
        case "NULL":
            return None
        case "L":
            return [_from_attribute(element) for element in value]
        case "M":
            return {name: _from_attribute(element) for name, element in value.items()}
    # No code here writes sets or binaries. An analyst may add an attribute of such a type; it is left as it is.
    return value


def _from_msgspec(table: str, error: msgspec.ValidationError) -> InvalidRowError:
    problem, _, path = str(error).partition(" - at `$")
    attribute = path.rstrip("`").removeprefix(".")
    if problem.startswith("Object missing required field"):
        field = problem.split("`")[1]
        return InvalidRowError(table, f"{attribute}.{field}" if attribute else field, "missing")
    if problem.startswith("Invalid enum value"):
        problem = "not one of the values allowed"
    return InvalidRowError(table, attribute or "$", problem[:1].lower() + problem[1:])
