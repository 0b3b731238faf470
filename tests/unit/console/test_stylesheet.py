"""Text is readable on every ground, in the light and in the dark, and sizes follow what the reader has set."""

from __future__ import annotations

import re

import pytest

from console.pages import ASSETS, TEMPLATES

CSS = ASSETS["stylesheet"][1].read_text(encoding="utf-8")
TEXTS = ("text", "muted", "link", "grave", "urgent")
GROUNDS = ("ground", "raised")


def colours(scheme: str) -> dict[str, str]:
    """The properties of a scheme that are colours."""
    light, _, dark = CSS.partition("@media (prefers-color-scheme: dark)")
    block = (light if scheme == "light" else dark).partition(":root {")[2].partition("}")[0]
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), 0 to 1."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Contrast ratio (WCAG 2.2), 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable(scheme: str, ground: str, text: str) -> None:
    found = colours(scheme)

    assert contrast(found[text], found[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
def test_the_focus_is_visible(scheme: str, ground: str) -> None:
    found = colours(scheme)

    assert contrast(found["focus"], found[ground]) >= 3


def test_both_schemes_have_the_same_colours() -> None:
    assert colours("light").keys() == colours("dark").keys() >= {*TEXTS, *GROUNDS, "focus"}


def test_sizes_of_text_follow_the_readers() -> None:
    assert not re.search(r"font(-size)?:[^;]*\dpx", CSS)


def test_every_class_that_a_template_names_is_in_the_stylesheet() -> None:
    named = {
        name
        for file in TEMPLATES.glob("*.html")
        for classes in re.findall(r'class="([^"{]+)', file.read_text(encoding="utf-8"))
        for name in classes.split()
    }

    assert named <= set(re.findall(r"\.([a-z-]+)", CSS))
