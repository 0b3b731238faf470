"""Settings of a stage, read from its environment once, at the cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from common.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

SettingsT = TypeVar("SettingsT", bound=msgspec.Struct)


def read_settings(model: type[SettingsT], environment: Mapping[str, str]) -> SettingsT:
    """Read a stage's settings; a field ``alert_window_seconds`` is the variable ``ALERT_WINDOW_SECONDS``.

    Parameters
    ----------
    model : type[msgspec.Struct]
        Frozen, its fields typed and constrained; a field without a default is required.
    environment : Mapping[str, str]
        ``os.environ`` in a handler, a dict in a test.

    Returns
    -------
    SettingsT
        All fields, checked.

    Raises
    ------
    SettingsError
        Naming every variable that is missing or wrong, not only the first.
    """
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for field in msgspec.structs.fields(model):
        variable = field.name.upper()
        text = environment.get(variable, "")
        if not text:
            if field.required:
                problems[variable] = "missing or empty"
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            problems[variable] = str(error)
    if problems:
        raise SettingsError(problems)
    return model(**values)
