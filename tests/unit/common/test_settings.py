"""Settings are read all at once, and every wrong variable is named at once."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from common.errors import SettingsError
from common.settings import read_settings


class Settings(msgspec.Struct, frozen=True):
    table: str
    retention_days: Annotated[int, Meta(ge=1, le=3653)]
    queue_url: str | None = None
    share: float = 0.5
    is_enabled: bool = False


def test_each_field_is_read_from_its_variable_in_its_type() -> None:
    environment = {
        "TABLE": "t",
        "RETENTION_DAYS": "400",
        "QUEUE_URL": "http://q",
        "SHARE": "0.25",
        "IS_ENABLED": "true",
        "OTHER": "ignored",
    }

    assert read_settings(Settings, environment) == Settings("t", 400, "http://q", 0.25, True)


def test_field_with_a_default_may_be_missing_or_empty() -> None:
    assert read_settings(Settings, {"TABLE": "t", "RETENTION_DAYS": "1", "SHARE": ""}) == Settings("t", 1)


def test_every_bad_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, {"RETENTION_DAYS": "many", "SHARE": "half"})

    assert set(refusal.value.problems) == {"TABLE", "RETENTION_DAYS", "SHARE"}
    assert refusal.value.problems["TABLE"] == "missing or empty"
    assert str(refusal.value).count(";") == 2


@pytest.mark.parametrize("text", ["0", "3654", "1.5", "-1", " 7 x"])
def test_variable_outside_its_bounds_is_named(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, {"TABLE": "t", "RETENTION_DAYS": text})

    assert set(refusal.value.problems) == {"RETENTION_DAYS"}


@pytest.mark.parametrize("text", ["null", "None", "true", "12", "1e5"])
def test_text_stays_text_whatever_it_looks_like(text: str) -> None:
    settings = read_settings(Settings, {"TABLE": text, "RETENTION_DAYS": "1", "QUEUE_URL": text})

    assert (settings.table, settings.queue_url) == (text, text)
