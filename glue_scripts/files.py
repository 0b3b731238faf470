"""Files as they land, and their lines. A file that cannot be read is reported, and does not stop the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]  # it ships no types
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import BinaryType, LongType, StringType, StructField, StructType, TimestampType

from contract.reading.text import DAMAGED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pyspark.sql import DataFrame, SparkSession

WHOLE_FILES: Final[dict[str, str]] = {
    # One task reads a file, whole and in order: otherwise a CSV row has no header, and no row a line number. Spark packs
    # files into a task by their size plus this cost of opening one; a cost as large as a task leaves one file for each.
    "spark.sql.files.maxPartitionBytes": str(1 << 40),
    "spark.sql.files.openCostInBytes": str(1 << 40),
}
"""Session settings that :func:`read_lines` makes."""

GONE: Final = "the file was deleted before it was read"

READ_ERRORS: Final = (Py4JJavaError, PySparkException)
"""What a failed Spark job raises in Python."""

_SLASHES_OF_ROOT: Final = 2
"""``s3://bucket`` has two; a bucket always exists."""

_GLOB_CHARACTERS: Final = "*?[]{}\\"

_BINARY_FILE: Final = StructType(
    [
        StructField("path", StringType()),
        StructField("modificationTime", TimestampType()),
        StructField("length", LongType()),
        StructField("content", BinaryType()),
    ]
)


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be read to its end."""

    file: str
    reason: str


class Listed(NamedTuple):
    """A file that has landed."""

    path: str
    """Its name, with its scheme."""
    uri: str
    """The same with its special characters encoded, as Spark's checkpoint names it."""
    modified_ms: int
    """When it landed, milliseconds since the epoch."""


def landed_files(spark: SparkSession, landing_path: str, max_files_per_trigger: int) -> DataFrame:
    """Stream the names of the files that arrive below a path, in folders of any depth.

    Names and not lines, because a file that has been listed is in the checkpoint permanently: with its lines in the stream,
    a damaged or deleted file would fail its batch at every try, and no setting could be changed to skip it.

    Parameters
    ----------
    spark : SparkSession
        The session.
    landing_path : str
        A folder or prefix of any file system that Spark knows; it need not exist yet.
    max_files_per_trigger : int
        The most files that one batch takes.

    Returns
    -------
    DataFrame
        Streaming: ``path``.
    """
    return (
        spark.readStream.format("binaryFile")
        .schema(_BINARY_FILE)
        .option("recursiveFileLookup", "true")
        .option("maxFilesPerTrigger", max_files_per_trigger)
        .load(as_pattern(landing_path))
        # Without the content, which Spark then does not read.
        .select("path")
    )


def read_lines(spark: SparkSession, paths: Sequence[str], *, forgive: bool = False) -> DataFrame:
    r"""Read files line by line, each whole and in order; ``.gz`` and ``.bz2`` are unpacked.

    Only ``\n`` ends a line: so the lines, with it behind each, are the file's bytes, in whatever encoding it is.

    Parameters
    ----------
    spark : SparkSession
        Its settings become :data:`WHOLE_FILES`.
    paths : Sequence[str]
        At least one file, as :func:`landed_files` names them.
    forgive : bool
        Whether damaged files end where the damage begins, instead of failing.

    Returns
    -------
    DataFrame
        ``line`` (bytes: a line need not be text), ``file``, and ``block_start`` (0 where the file is not split).

    Raises
    ------
    AnalysisException
        Where a file does not exist.
    """
    for name, value in WHOLE_FILES.items():
        spark.conf.set(name, value)
    reader = spark.read.option("ignoreCorruptFiles", str(forgive).lower()).option("lineSep", "\n")
    lines = reader.text(list(map(escaped, paths)))
    return lines.select(
        F.col("value").cast("binary").alias("line"),
        F.col("_metadata.file_path").alias("file"),
        F.col("_metadata.file_block_start").alias("block_start"),
    )


def read_documents(spark: SparkSession, folder: str) -> dict[str, bytes]:
    """Read the files of a folder whole, in folders of any depth; for a few small ones.

    Parameters
    ----------
    spark : SparkSession
        The session.
    folder : str
        On any file system that Spark knows.

    Returns
    -------
    dict[str, bytes]
        The file's name as Spark gives it to its content.

    Raises
    ------
    AnalysisException
        Where the folder does not exist.
    """
    found = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(escaped(folder))
    return {row["path"]: bytes(row["content"]) for row in found.select("path", "content").collect()}


def read_document(spark: SparkSession, path: str) -> bytes:
    """Read one small file whole; FileNotFoundError names the path."""
    try:
        row = spark.read.format("binaryFile").load(escaped(path)).select("content").first()
    except AnalysisException as error:
        raise FileNotFoundError(path) from error
    if row is None:
        raise FileNotFoundError(path)
    return bytes(row["content"])


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Write one small file of UTF-8, and its folders; one of the same name is replaced."""
    file_system, parsed = _hadoop(spark, path)
    stream = file_system.create(parsed, True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def qualified(spark: SparkSession, path: str) -> str:
    """Write a path as Spark writes the paths of the files below it: absolute, with its scheme, without ``//``, ``.`` and ``..``."""
    file_system, parsed = _hadoop(spark, path)
    return str(file_system.makeQualified(parsed).toString())


def names_in(spark: SparkSession, folder: str) -> list[str]:
    """List the names in a folder, not those in its folders; none where it does not exist."""
    file_system, path = _hadoop(spark, folder)
    if not file_system.exists(path):
        return []
    return [status.getPath().getName() for status in file_system.listStatus(path)]


def landed_since(spark: SparkSession, folder: str, since_ms: int) -> list[Listed]:
    """List the files in a folder, and in its folders of any depth, that landed at a moment or later; none where it does not exist."""
    file_system, path = _hadoop(spark, folder)
    if not file_system.exists(path):
        return []
    found, statuses = [], file_system.listFiles(path, True)
    while statuses.hasNext():
        status = statuses.next()
        if (modified_ms := status.getModificationTime()) >= since_ms:
            place = status.getPath()
            found.append(Listed(place.toString(), place.toUri().toString(), modified_ms))
    return found


def create_empty(spark: SparkSession, path: str) -> bool:
    """Create an empty file, and its folders; False where it exists already."""
    file_system, parsed = _hadoop(spark, path)
    return bool(file_system.createNewFile(parsed))


def remove(spark: SparkSession, path: str) -> None:
    """Remove a file, or a folder with all that is in it; nothing happens where it does not exist."""
    file_system, parsed = _hadoop(spark, path)
    file_system.delete(parsed, True)


def unreadable_files(spark: SparkSession, paths: Sequence[str]) -> list[Unreadable]:
    """Find the files that cannot be read to their end, by reading each; used after reading all of them together failed."""
    return [found for path in paths if (found := _why_unreadable(spark, path)) is not None]


def as_pattern(folder: str) -> str:
    """Write a folder as a pattern that matches only it; Spark fails on a path that does not exist, but not on a pattern.

    A landing prefix without files does not exist, and a job that is deployed before the first file has to wait for it.

    >>> as_pattern("s3://landing/in/"), as_pattern("s3://landing/"), as_pattern("s3://landing/day=*/")
    ('s3://landing/i[n]', 's3://landing/', 's3://landing/day=*/')
    """
    path = folder.rstrip("/")
    below_root = path.count("/") > _SLASHES_OF_ROOT
    if not below_root or any(character in path for character in _GLOB_CHARACTERS):
        return folder
    return f"{path[:-1]}[{path[-1]}]"


def escaped(path: str) -> str:
    r"""Write a file's name so that Spark reads no part of it as a pattern.

    >>> print(escaped("s3://landing/a[1].csv"))
    s3://landing/a\[1\].csv
    """
    return "".join(f"\\{character}" if character in _GLOB_CHARACTERS else character for character in path)


def _hadoop(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """Find the file system of a path, and the path as Hadoop parses it: in Java, which has no other name in PySpark."""
    java: Any = spark.sparkContext
    parsed = java._jvm.org.apache.hadoop.fs.Path(path)
    return parsed.getFileSystem(java._jsc.hadoopConfiguration()), parsed


def _why_unreadable(spark: SparkSession, path: str) -> Unreadable | None:
    try:
        read_lines(spark, [path]).count()
    except AnalysisException:
        return Unreadable(path, GONE)
    except READ_ERRORS:
        return Unreadable(path, DAMAGED)
    return None
