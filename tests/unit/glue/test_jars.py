"""Lists of Java libraries are remembered, and not trusted when they have gone stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import jars

if TYPE_CHECKING:
    from pathlib import Path

WANTED = jars.JarSet("example", ("org.example:one:1",))


@pytest.fixture
def resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[jars.JarSet]:
    """What had to be resolved anew, in order; stands for jgo and the network."""
    asked: list[jars.JarSet] = []

    def resolve(wanted: jars.JarSet) -> list[Path]:
        asked.append(wanted)
        file = tmp_path / f"{wanted.name}-{len(asked)}.jar"
        file.touch()
        return [file]

    monkeypatch.setattr(jars, "LISTS_DIR", tmp_path / "lists")
    monkeypatch.setattr(jars, "_resolve", resolve)
    return asked


def test_a_set_is_resolved_once(resolved: list[jars.JarSet]) -> None:
    first, second = jars.jars(WANTED), jars.jars(WANTED)

    assert first == second
    assert resolved == [WANTED]


def test_a_list_whose_file_is_gone_is_made_anew(resolved: list[jars.JarSet]) -> None:
    jars.jars(WANTED)[0].unlink()

    assert jars.jars(WANTED)[0].exists()
    assert len(resolved) == 2


def test_a_list_of_other_coordinates_is_made_anew(resolved: list[jars.JarSet]) -> None:
    jars.jars(WANTED)
    newer = jars.JarSet("example", ("org.example:one:2",))

    jars.jars(newer)

    assert resolved == [WANTED, newer]
