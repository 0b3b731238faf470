"""Java libraries come from the lock: none is used that is not in it, or that differs from it by a byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from local import jars, maven
from local.jar_lock import (
    JarHashError,
    JarsError,
    LockedJar,
    join_coordinates,
    read_lock,
    split_coordinates,
    write_lock,
)

if TYPE_CHECKING:
    from pathlib import Path

ONE, NATIVE, TWO = "org.example:one:1", "org.example:native:so:1", "org.example:two:1"
WANTED = jars.JarSet("example", (ONE,))


@dataclass
class FakeMaven:
    """Maven Central, as far as jgo's context shows it: coordinates to content, and what was downloaded."""

    folder: Path
    contents: dict[str, bytes]
    downloads: list[str] = field(default_factory=list)
    refusals: int = 0
    """So many downloads fail first."""

    def project(self, group: str, artifact: str) -> FakeArtifact:
        return FakeArtifact(self, group, artifact)


@dataclass
class FakeArtifact:
    """One file of it."""

    maven: FakeMaven
    group: str
    name: str
    version: str = ""
    coordinates: str = ""

    def at_version(self, version: str) -> FakeArtifact:
        self.version = version
        return self

    def artifact(self, classifier: str, packaging: str) -> FakeArtifact:
        self.coordinates = join_coordinates(self.group, self.name, packaging, classifier, self.version)
        return self

    @property
    def cached_path(self) -> Path:
        return self.maven.folder / self.coordinates.replace(":", "-")

    def resolve(self) -> Path:
        assert not self.cached_path.exists()
        self.maven.downloads.append(self.coordinates)
        content = self.maven.contents[self.coordinates]
        if self.maven.refusals:
            self.maven.refusals -= 1
            self.cached_path.write_bytes(content[:1])
            raise OSError("connection reset")
        self.cached_path.write_bytes(content)
        return self.cached_path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Maven's repository folder, empty."""
    folder = tmp_path / "repository"
    monkeypatch.setenv("M2_REPO", str(folder))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    return folder


@pytest.fixture
def central(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMaven:
    """Replaces Maven Central and the network."""
    central = FakeMaven(tmp_path, {ONE: b"one", NATIVE: b"native", TWO: b"two"})

    def make_context(folder: Path) -> Any:
        central.folder = folder
        return central

    monkeypatch.setattr(maven, "make_context", make_context)
    return central


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A lock of the set: a jar that it names and a native library that this needs."""
    file = tmp_path / "jars.lock"
    write_lock([locked(ONE, b"one"), locked(NATIVE, b"native")], file)
    return file


def locked(coordinates: str, content: bytes, jar_set: str = "example") -> LockedJar:
    return LockedJar(jar_set, coordinates, hashlib.sha256(content).hexdigest())


def test_a_set_is_downloaded_once(central: FakeMaven, repository: Path, lock: Path) -> None:
    first, second = jars.locked_files(WANTED, lock), jars.locked_files(WANTED, lock)

    assert first == second
    assert first == [
        repository / "org/example/native/1/native-1.so",
        repository / "org/example/one/1/one-1.jar",
    ]
    assert sorted(central.downloads) == [NATIVE, ONE]


def test_a_file_that_is_gone_is_downloaded_again(central: FakeMaven, lock: Path) -> None:
    jars.locked_files(WANTED, lock)[1].unlink()

    files = jars.locked_files(WANTED, lock)

    assert files[1].read_bytes() == b"one"
    assert central.downloads[2:] == [ONE]


def test_a_jar_that_differs_by_a_byte_is_refused(central: FakeMaven, lock: Path) -> None:
    changed = jars.locked_files(WANTED, lock)[1]
    changed.write_bytes(b"onf")
    expected, found = (hashlib.sha256(content).hexdigest() for content in (b"one", b"onf"))

    with pytest.raises(JarHashError) as refusal:
        jars.locked_files(WANTED, lock)

    assert str(refusal.value) == f"example: {ONE}: expected SHA-256 {expected}, found {found} in {changed}"


def test_a_download_that_differs_by_a_byte_is_refused_and_not_kept(
    central: FakeMaven, repository: Path, lock: Path
) -> None:
    central.contents[ONE] = b"onf"

    with pytest.raises(JarHashError, match=f"example: {ONE}: expected SHA-256 .*, found "):
        jars.locked_files(WANTED, lock)

    assert not list(repository.rglob("one-1.jar"))


def test_a_jar_that_is_not_in_the_lock_is_refused(central: FakeMaven, lock: Path) -> None:
    newer = jars.JarSet("example", (ONE, TWO))

    with pytest.raises(JarsError, match=f"example: {TWO} is not in {lock}"):
        jars.locked_files(newer, lock)

    assert central.downloads == []


def test_a_jar_of_another_set_does_not_count(central: FakeMaven, lock: Path) -> None:
    with pytest.raises(JarsError, match=f"other: {ONE} is not in {lock}"):
        jars.locked_files(jars.JarSet("other", (ONE,)), lock)


def test_a_download_that_breaks_off_is_tried_again(central: FakeMaven, lock: Path) -> None:
    central.refusals = maven.ATTEMPTS - 1

    files = jars.locked_files(WANTED, lock)

    assert [file.read_bytes() for file in files] == [b"native", b"one"]


def test_a_download_that_always_fails_names_jar_and_cause(central: FakeMaven, lock: Path) -> None:
    central.refusals = 1000

    with pytest.raises(JarsError, match=r"org\.example:\S+: connection reset \(4 attempts\)"):
        jars.locked_files(WANTED, lock)


def test_the_lock_is_made_of_what_is_resolved(
    central: FakeMaven, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maven, "resolve", lambda coordinates, _exclusions: [*coordinates, TWO])

    jars.make_lock([WANTED], lock)

    assert read_lock(lock) == [locked(ONE, b"one"), locked(TWO, b"two")]
    assert central.downloads == [TWO]  # the hash of the other one is in the lock already


@pytest.mark.parametrize(
    "line",
    [
        "example org.example:one:1",
        f"example org.example:one sha256:{'0' * 64}",
        f"example {ONE} sha256:{'0' * 63}",
    ],
)
def test_a_line_that_is_none_is_refused_with_its_place(tmp_path: Path, line: str) -> None:
    file = tmp_path / "jars.lock"
    file.write_text(f"# comment\n{line}\n")

    with pytest.raises(JarsError, match=f"{file}:2: "):
        read_lock(file)


def test_a_missing_lock_is_reported(tmp_path: Path) -> None:
    with pytest.raises(JarsError, match="no such file; `make lock` makes it"):
        read_lock(tmp_path / "jars.lock")


def test_the_projects_lock_holds_all_that_the_sets_name_and_nothing_that_they_exclude() -> None:
    names = {wanted.name: wanted for wanted in jars.ALL_SETS}
    lock = read_lock()

    assert {jar.jar_set for jar in lock} == set(names)
    for name, wanted in names.items():
        coordinates = {jar.coordinates for jar in lock if jar.jar_set == name}
        projects = {":".join(split_coordinates(each)[:2]) for each in coordinates}
        assert set(wanted.coordinates) <= coordinates
        assert not projects & set(wanted.exclusions)


def test_paths_are_those_of_a_maven_repository() -> None:
    jar = LockedJar("example", "org.example.deep:one:jar:linux:1.2", "0" * 64)

    assert str(jar.path) == "org/example/deep/one/1.2/one-1.2-linux.jar"
