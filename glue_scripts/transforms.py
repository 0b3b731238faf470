"""The job as functions from DataFrame to DataFrame: lines of files in; records, refused rows and counts out.

The work on a single row is plain Python (:mod:`glue_scripts.rows`) inside one Arrow pass, because Spark's own JSON reader
turns numbers into binary floats, takes ``{"a": 1} {"b": 2}`` for its first half, and its CSV stream reader maps columns by
place whatever a file's header says; and because the contract is Python.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from contract.errors import InvalidTransactionError
from glue_scripts.card_numbers import CardTokens
from glue_scripts.progress import Counts
from glue_scripts.rows import Header, Outcome, Published, RowCleaner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import DataFrame, SparkSession

CSV_SUFFIXES: Final = (".csv", ".tsv")
COMPRESSION_SUFFIXES: Final = (".gz", ".bz2")
"""What Spark unpacks by itself, by name."""

WHOLE_FILES: Final[dict[str, str]] = {
    # A file is one task's, whole and in order: only so a CSV row meets its header and a row has its line number. Spark
    # packs files into a task by their size plus this cost of opening one; a cost of a whole task leaves one file each.
    "spark.sql.files.maxPartitionBytes": str(1 << 40),
    "spark.sql.files.openCostInBytes": str(1 << 40),
}
"""Session settings that :func:`clean_lines` relies on."""

CLEANED: Final = StructType(
    [
        StructField("user_id", StringType()),
        StructField("record", BinaryType()),
        StructField("field", StringType()),
        StructField("reason", StringType()),
        StructField("raw", StringType()),
        StructField("file", StringType()),
        StructField("line", LongType()),
        StructField("dropped", ArrayType(StringType())),
    ]
)
"""A cleaned row: ``user_id`` and ``record`` where it is good; ``field``, ``reason`` and ``raw`` where it is not."""

_ARROW: Final = pa.schema(
    [
        ("user_id", pa.string()),
        ("record", pa.binary()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("dropped", pa.list_(pa.string())),
    ]
)
_SLASHES_OF_ROOT: Final = 2
"""``s3://bucket`` has two; a bucket is always there."""

_EPOCH_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_lines(spark: "SparkSession", landing_path: str, max_files_per_trigger: int) -> "DataFrame":
    """Stream the lines of the files that arrive below a path, in folders of any depth.

    Parameters
    ----------
    spark : SparkSession
        Its settings become :data:`WHOLE_FILES`.
    landing_path : str
        A folder or prefix of any file system that Spark knows.
    max_files_per_trigger : int
        The most files that one batch takes.

    Returns
    -------
    DataFrame
        Streaming; as :func:`clean_lines` wants it.
    """
    for name, value in WHOLE_FILES.items():
        spark.conf.set(name, value)
    lines = (
        spark.readStream.format("text")
        .option("recursiveFileLookup", "true")
        .option("maxFilesPerTrigger", max_files_per_trigger)
        .load(as_pattern(landing_path))
    )
    return with_position(lines)


def as_pattern(folder: str) -> str:
    """Write a folder as a pattern that matches only it; Spark fails on a path that is not there, not on a pattern.

    A landing prefix without files does not exist, and a job that was deployed before the first file has to wait for it.

    >>> as_pattern("s3://landing/in/"), as_pattern("s3://landing/"), as_pattern("s3://landing/day=*/")
    ('s3://landing/i[n]', 's3://landing/', 's3://landing/day=*/')
    """
    path = folder.rstrip("/")
    below_root = path.count("/") > _SLASHES_OF_ROOT
    if not below_root or any(character in path for character in "*?[]{}\\"):
        return folder
    return f"{path[:-1]}[{path[-1]}]"


def with_position(lines: "DataFrame") -> "DataFrame":
    """Name each line's file, and the batch's time.

    Parameters
    ----------
    lines : DataFrame
        From the text source: ``value``, with its hidden ``_metadata``.

    Returns
    -------
    DataFrame
        ``line`` (bytes, since a line need not be text), ``file``, ``block_start`` (0 where the file is not split) and
        ``read_at_us`` (microseconds since the epoch; the time that the checkpoint keeps for the batch, so that a batch
        that is done again judges "24 h ahead of the clock" as it did before).
    """
    return lines.select(
        F.col("value").cast("binary").alias("line"),
        F.col("_metadata.file_path").alias("file"),
        F.col("_metadata.file_block_start").alias("block_start"),
        F.expr("unix_micros(current_timestamp())").alias("read_at_us"),
    )


def clean_lines(lines: "DataFrame", key: bytes) -> "DataFrame":
    """Clean every line: JSON by its names, CSV by the header of its own file.

    Parameters
    ----------
    lines : DataFrame
        As :func:`with_position` makes them, read under :data:`WHOLE_FILES`.
    key : bytes
        What card numbers are tokenised with.

    Returns
    -------
    DataFrame
        One row of :data:`CLEANED` for each line that is neither blank nor a header.
    """
    CardTokens(key)  # a bad key is the driver's error, before any task runs
    # A task of its own for each file would be dear: PySpark's worker looks through its zips anew at the start of every
    # task, which takes Python 3.11 some 100 ms. Coalescing puts whole files one after the other.
    tasks = lines.sparkSession.sparkContext.defaultParallelism
    return lines.coalesce(tasks).mapInArrow(_cleaner(key), CLEANED)


def records(cleaned: "DataFrame", topic: str) -> "DataFrame":
    """Choose the good rows, as the Kafka sink takes them: ``topic``, ``key``, ``value``."""
    return cleaned.where("record is not null").select(
        F.lit(topic).alias("topic"),
        F.col("user_id").cast("binary").alias("key"),
        F.col("record").alias("value"),
    )


def refused(cleaned: "DataFrame") -> "DataFrame":
    """Choose the bad rows, as they stand in quarantine: reason, field, file, line number, and the row itself."""
    return cleaned.where("record is null").select("reason", "field", "file", "line", "raw")


def counts(cleaned: "DataFrame") -> Counts:
    """Count what became of the rows; runs one job, and a second where columns were dropped."""
    row = cleaned.agg(
        F.count("record").alias("published"),
        F.count("reason").alias("quarantined"),
        F.coalesce(F.sum(F.size("dropped")), F.lit(0)).alias("dropped"),
    ).first()
    if row is None:
        raise AssertionError("unreachable: an aggregate without groups has one row")
    return Counts(row["published"], row["quarantined"], dropped_columns(cleaned) if row["dropped"] else {})


def dropped_columns(cleaned: "DataFrame") -> dict[str, int]:
    """Count the unknown columns by name, the most frequent first."""
    by_name = cleaned.select(F.explode("dropped").alias("name")).groupBy("name").count()
    return {row["name"]: row["count"] for row in by_name.orderBy(F.desc("count"), "name").collect()}


def _cleaner(key: bytes) -> "Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    def clean(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        files = _FileCleaner(RowCleaner(CardTokens(key)))
        for batch in batches:
            yield files.clean_batch(batch)

    return clean


class _FileCleaner:
    """Follows a task through its file: which line it is at, and what the header was."""

    def __init__(self, rows: RowCleaner) -> None:
        self._rows = rows
        self._file = ""
        self._is_csv = False
        self._header: Header | None = None
        self._line = 0

    def clean_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Clean a batch of lines that follows the last one."""
        columns: list[list[object]] = [[] for _ in _ARROW]
        if batch.num_rows:
            now = _EPOCH_AT + timedelta(microseconds=batch.column("read_at_us")[0].as_py())
            lines = batch.column("line").to_pylist()
            names = batch.column("file").to_pylist()
            starts = batch.column("block_start").to_pylist()
            for line, file, start in zip(lines, names, starts, strict=True):
                if file != self._file:
                    self._begin(file, start)
                self._line += 1
                outcome = self._clean(line, now)
                if outcome is not None:
                    for column, value in zip(columns, _columns(outcome, file, self._line), strict=True):
                        column.append(value)
        arrays = [pa.array(column, arrow.type) for column, arrow in zip(columns, _ARROW, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    def _begin(self, file: str, block_start: int) -> None:
        if block_start:
            raise RuntimeError(f"{file} is read in parts; the session lacks {', '.join(WHOLE_FILES)}")
        self._file, self._line, self._header = file, 0, None
        self._is_csv = is_csv(file)

    def _clean(self, line: bytes, now: datetime) -> Outcome | None:
        if not line.strip():
            return None
        if not self._is_csv:
            return self._rows.clean_json(line, now)
        if self._header is not None:
            return self._rows.clean_csv(line, self._header, now)
        try:
            self._header = Header(line)
        except InvalidTransactionError as error:
            # The next line is tried for a header: a file may begin with a title or with garbage.
            return self._rows.refuse(line, error)
        return None


def is_csv(file: str) -> bool:
    """Whether a file is CSV, by its name; every other file is taken for JSON lines.

    >>> is_csv("s3://landing/a.CSV.gz"), is_csv("s3://landing/a.jsonl")
    (True, False)
    """
    name = file.lower()
    for suffix in COMPRESSION_SUFFIXES:
        name = name.removesuffix(suffix)
    return name.endswith(CSV_SUFFIXES)


def _columns(outcome: Outcome, file: str, line: int) -> tuple[object, ...]:
    if isinstance(outcome, Published):
        return (outcome.user_id, outcome.record, None, None, None, file, line, outcome.dropped)
    return (None, None, outcome.field, outcome.reason, outcome.raw, file, line, ())
