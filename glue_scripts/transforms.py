"""The job as functions from DataFrame to DataFrame: lines of files in; records, refused rows and counts out.

The work on a file is plain Python (:mod:`glue_scripts.landed_rows`) inside one Arrow pass: Spark's own JSON reader turns numbers
into binary floats and reads ``{"a": 1} {"b": 2}`` as its first half; its CSV stream reader maps columns by position and ignores
a file's header; and the contract is Python.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from contract.canary import CANARY_FOLDER, CANARY_HEADER, CANARY_HEADER_VALUE, RESERVED
from contract.card_tokens import CardTokens
from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.mapping.form import UNSAID
from glue_scripts.label_rows import LabelCleaner
from glue_scripts.landed_rows import landed_rows
from glue_scripts.prefix_mappings import NO_MAPPINGS
from glue_scripts.progress import MAX_NAME_CHARACTERS, MAX_NAMED_COLUMNS, Counts
from glue_scripts.rows import INTERNAL, Published, Refused, RowCleaner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame, SparkSession

    from contract.mapping.document import ColumnMapping
    from contract.mapping.form import FileForm
    from glue_scripts.files import Unreadable
    from glue_scripts.prefix_mappings import PrefixMappings
    from glue_scripts.rows import FileCleaner

    Cleaners = Mapping[str | None, tuple[FileForm, FileCleaner]]
    """Prefix to how its files are written and what cleans their rows; None for the files of no prefix."""

_BATCH_ROWS: Final = 1_000
"""Cleaned rows that go back to Spark at once."""

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
        StructField("is_trusted", BooleanType()),
        StructField("is_canary", BooleanType()),
    ]
)
"""A cleaned row: ``user_id`` and ``record`` where it is good; ``field``, ``reason`` and ``raw`` where it is not; none of them for a
refund, and for a row of labels that says nothing of fraud. ``is_trusted`` says that the feed's event times are believed, ``is_canary`` that the row is the canary's."""

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
        ("is_trusted", pa.bool_()),
        ("is_canary", pa.bool_()),
    ]
)


def payment_cleaners(tokens: CardTokens, mappings: PrefixMappings) -> Cleaners:
    """Make what cleans payments, by prefix; the canary's folder is one."""
    return {
        CANARY_FOLDER: (UNSAID, RowCleaner(tokens, is_canary_feed=True)),
        **_by_prefix(partial(RowCleaner, tokens), mappings),
    }


def label_cleaners(tokens: CardTokens, mappings: PrefixMappings) -> Cleaners:
    """Make what cleans labels, by prefix."""
    return _by_prefix(partial(LabelCleaner, tokens), mappings)


def _by_prefix(
    cleaner: Callable[[ColumnMapping | None], FileCleaner], mappings: PrefixMappings
) -> dict[str | None, tuple[FileForm, FileCleaner]]:
    return {
        None: (UNSAID, cleaner(None)),
        **{prefix: (mapping.form, cleaner(mapping)) for prefix, mapping in mappings.by_prefix.items()},
    }


def clean_lines(
    lines: DataFrame,
    key: bytes,
    mappings: PrefixMappings = NO_MAPPINGS,
    cleaners: Callable[[CardTokens, PrefixMappings], Cleaners] = payment_cleaners,
) -> DataFrame:
    """Clean every row: JSON by its names, CSV by the header of its own file, both by the mapping of the file's prefix.

    Parameters
    ----------
    lines : DataFrame
        As :func:`glue_scripts.files.read_lines` reads them.
    key : bytes
        What card numbers are tokenised with.
    mappings : PrefixMappings
        What the columns are, below which prefixes.
    cleaners : Callable[[CardTokens, PrefixMappings], Cleaners]
        Makes what cleans the rows, in the worker.

    Returns
    -------
    DataFrame
        One row of :data:`CLEANED` for each row that is neither blank nor a header.

    Raises
    ------
    ValueError
        For a key that is too short; raised in the driver, before any task runs.
    """
    CardTokens(key)
    # A task for each file would be expensive: PySpark's worker reads its zips again at the start of every task, which takes
    # Python 3.11 some 100 ms. Coalescing puts whole files one after the other.
    tasks = lines.sparkSession.sparkContext.defaultParallelism
    return lines.coalesce(tasks).mapInArrow(_cleaner(key, mappings, cleaners), CLEANED)


def unreadable_rows(spark: SparkSession, files: Sequence[Unreadable], key: bytes) -> DataFrame:
    """Report files that could not be read, as rows of :data:`CLEANED` that go to quarantine."""
    tokens = CardTokens(key)
    rows: list[tuple[object, ...]] = [
        (None, None, "$", file.reason, "", tokens.replace(file.file), None, [], False, False)
        for file in files
    ]
    return spark.createDataFrame(rows, CLEANED)


def records(cleaned: DataFrame, topic: str) -> DataFrame:
    """Choose the good rows, as the Kafka sink takes them: ``topic``, ``key``, ``value``, ``headers``."""
    trusted, canary = (
        F.array(F.struct(F.lit(name).alias("key"), F.lit(value).cast("binary").alias("value")))
        for name, value in ((TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE), (CANARY_HEADER, CANARY_HEADER_VALUE))
    )
    return cleaned.where("record is not null").select(
        F.lit(topic).alias("topic"),
        F.col("user_id").cast("binary").alias("key"),
        F.col("record").alias("value"),
        F.when(F.col("is_canary"), canary).when(F.col("is_trusted"), trusted).alias("headers"),
    )


def refused(cleaned: DataFrame) -> DataFrame:
    """Choose the bad rows, in the form of the quarantine: reason, field, file, line number, and the row itself."""
    return cleaned.where("reason is not null").select("reason", "field", "file", "line", "raw")


def counts(cleaned: DataFrame) -> Counts:
    """Count rows by their results; runs one job, and a second where columns were dropped."""
    row = cleaned.agg(
        F.count(F.when(F.col("record").isNotNull() & ~F.col("is_canary"), 1)).alias("published"),
        F.count(F.when(F.col("record").isNotNull() & F.col("is_canary"), 1)).alias("canaries"),
        F.count("reason").alias("quarantined"),
        F.count(F.when(F.col("reason").startswith(INTERNAL), 1)).alias("internal_errors"),
        F.count(F.when(F.col("reason").startswith(RESERVED), 1)).alias("reserved_users"),
        F.count(F.when(F.col("record").isNull() & F.col("reason").isNull(), 1)).alias("refunds"),
        F.coalesce(F.sum(F.size("dropped")), F.lit(0)).alias("dropped"),
        # Names only, and no more than a batch has files.
        F.size(
            F.array_except(
                F.collect_set("file"), F.collect_set(F.when(F.col("record").isNotNull(), F.col("file")))
            )
        ).alias("files_without_payments"),
    ).first()
    if row is None:
        raise AssertionError("unreachable: an aggregate without groups has one row")
    named = dropped_columns(cleaned) if row["dropped"] else {}
    other = row["dropped"] - sum(named.values())
    return Counts(
        row["published"],
        row["quarantined"],
        named,
        other,
        row["internal_errors"],
        row["refunds"],
        row["files_without_payments"],
        row["canaries"],
        row["reserved_users"],
    )


def dropped_columns(cleaned: DataFrame) -> dict[str, int]:
    """Count the most frequent of the dropped columns by name, cut to the length that the batch's line shows.

    Spark chooses them: if every row of a batch had names of its own, the driver could not hold them all, at any try.
    """
    name = F.substring("name", 1, MAX_NAME_CHARACTERS).alias("name")
    by_name = cleaned.select(F.explode("dropped").alias("name")).groupBy(name).count()
    most = by_name.orderBy(F.desc("count"), "name").limit(MAX_NAMED_COLUMNS)
    return {row["name"]: row["count"] for row in most.collect()}


def _cleaner(
    key: bytes, mappings: PrefixMappings, cleaners: Callable[[CardTokens, PrefixMappings], Cleaners]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def clean(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tokens = CardTokens(key)
        yield from _Files(tokens, mappings, cleaners(tokens, mappings)).clean(batches)

    return clean


class _Files:
    """Finds the mapping of each file, and writes its rows as Arrow has them."""

    def __init__(self, tokens: CardTokens, mappings: PrefixMappings, cleaners: Cleaners) -> None:
        self._tokens = tokens
        self._mappings = mappings
        self._cleaners = cleaners

    def clean(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Clean the files of a task, one after the other; a batch holds the rows of one or more."""
        rows = self._rows_of(batches)
        while some := list(islice(rows, _BATCH_ROWS)):
            columns = zip(zip(*some, strict=True), _ARROW, strict=True)
            arrays = [pa.array(column, arrow.type) for column, arrow in columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    def _rows_of(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[object, ...]]:
        for file, lines in groupby(_lines(batches), key=itemgetter(0)):
            # Spark gives the file's URL; people and S3 use its name. The name goes to quarantine and into errors.
            path = unquote(file)
            name = self._tokens.replace(path)
            is_canary = CANARY_FOLDER in self._cleaners and self._mappings.is_canary(path)
            try:
                prefix = CANARY_FOLDER if is_canary else self._mappings.prefix_of(path)
            except ValueError as error:
                raise ValueError(self._tokens.replace(str(error))) from None
            form, cleaner = self._cleaners[prefix]
            for line, row in landed_rows(path, _chunks(name, lines), form, cleaner):
                if isinstance(row, Published):
                    said = (form.trusted, is_canary)
                    yield (row.user_id, row.record, None, None, None, name, line, row.dropped, *said)
                elif isinstance(row, Refused):
                    yield (None, None, row.field, row.reason, row.raw, name, line, (), False, is_canary)
                else:
                    yield (None, None, None, None, None, name, line, (), False, is_canary)


def _lines(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, bytes, int]]:
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("file", "line", "block_start"))
        yield from zip(*columns, strict=True)


def _chunks(name: str, lines: Iterable[tuple[str, bytes, int]]) -> Iterator[bytes]:
    for _, line, block_start in lines:
        if block_start:
            raise RuntimeError(f"{name} is read in parts; a CSV header and line numbers need it whole")
        yield line + b"\n"
