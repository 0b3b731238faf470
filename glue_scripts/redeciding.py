"""Deciding again in Spark: lines of an export in, one sum of what was counted out, and a row of scores a payment on request."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from pyspark.sql import functions as F  # noqa: N812 - its usual name
from pyspark.sql.types import (
    BinaryType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from contract.exports import read_item
from engine.model.document import digest_of
from engine.model.tables import read_model
from engine.rules.ruleset import parse_ruleset
from lab.models import with_model
from lab.rows.deciding import RowJudge
from lab.rows.scores import columns
from lab.rows.tally import RowsTally
from lab.rows.truth import Finding, LabelBook, counting_finding, label_of, payment_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from engine.rules.ruleset import Ruleset
    from lab.rows.judged import JudgedRow
    from lab.rows.scores import Column

    Work = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
    """What a task does with its lines."""

_BATCH_ROWS: Final = 10_000
"""Rows of scores that go back to Spark at once."""

_ARROW_TYPES: Final = {"string": pa.string(), "long": pa.int64()}
_SIGN: Final = 1 << 63
"""Spark's whole numbers of 64 bits have a sign."""


@dataclass(frozen=True)
class Documents:
    """The ruleset and the models as documents: a worker reads them itself, once."""

    rules: str
    source: str
    """The ruleset's name in messages."""
    named_models: tuple[bytes, ...] = ()
    """Of the models that the ruleset names, its candidate's too."""
    model: bytes | None = None
    """Of a model in its place."""
    model_source: str = ""

    def ruleset(self) -> Ruleset:
        """Read the documents, and give the champion alone: it decides about every row, whoever's side the user was on.

        Raises
        ------
        InvalidRulesetError, InvalidModelError
            With every problem.
        """
        return _ruleset(self)

    def name(self, ruleset: Ruleset) -> str:
        """What the rules are called in a report."""
        used = ruleset.model
        model = "" if used is None else f", model {used.model.sha256[:12]}"
        candidate = _document(self).candidate
        side = "" if candidate is None else f", without its candidate {candidate.ruleset.version}"
        return f"ruleset {ruleset.stored_version}{model}{side}"


@lru_cache(maxsize=2)
def _document(documents: Documents) -> Ruleset:
    models = {digest_of(data): data for data in documents.named_models}
    return parse_ruleset(documents.rules, documents.source, models.get)


@lru_cache(maxsize=2)
def _ruleset(documents: Documents) -> Ruleset:
    ruleset = _document(documents).without_candidate()
    if documents.model is None:
        return ruleset
    source = documents.model_source
    return with_model(ruleset, read_model(documents.model, source), source)


def decide_again(
    lines: DataFrame, documents: Documents, book: LabelBook, scores_path: str | None = None
) -> RowsTally:
    """Decide about every line of an export of the history.

    Parameters
    ----------
    lines : DataFrame
        ``line`` and ``file``.
    documents : Documents
        The rules; they have been read in the driver, so that what is wrong with them is said there.
    book : LabelBook
        What is known of the payments.
    scores_path : str | None
        The folder that the scores are written to, as CSV; what was there is replaced. None for no scores.

    Returns
    -------
    RowsTally
        What all tasks counted, added up.
    """
    shared = lines.sparkSession.sparkContext.broadcast(book)
    scored = columns(has_model=documents.ruleset().model is not None) if scores_path else ()

    def decide(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        judge = RowJudge(documents.ruleset(), shared.value)
        judged = judge.judge_all(chain.from_iterable(map(_lines, batches)))
        if scored:
            yield from _scores(judged, scored)
        else:
            for _ in judged:
                pass
        yield _record_batch(scored, [(*(None for _ in scored), judge.tally.to_bytes())])

    schema = StructType(
        [
            *(StructField(column.name, _spark_type(column)) for column in scored),
            StructField("tally", BinaryType()),
        ]
    )
    decided = lines.mapInArrow(decide, schema)
    if scores_path:
        decided = decided.persist()
        names = [column.name for column in scored]
        # As RFC 4180 has it: a quotation mark in a value is doubled.
        csv = decided.where("tally is null").select(names).write.mode("overwrite").options(header="true")
        csv.options(escape='"', emptyValue="").csv(scores_path)
    total = RowsTally()
    # Not toLocalIterator(), which runs one task after the other, on however many processors.
    for row in decided.where("tally is not null").select("tally").collect():
        total.add(RowsTally.from_bytes(bytes(row["tally"])))
    return total


def counting_labels(lines: DataFrame) -> dict[int, Finding]:
    """Find the labels that count in an export of ``labels``.

    Parameters
    ----------
    lines : DataFrame
        ``line`` and ``file``.

    Returns
    -------
    dict[int, Finding]
        Hash of a payment (:func:`lab.rows.truth.payment_hash`) to what it was.

    Raises
    ------
    InvalidRowError
        Where a label cannot be read; in a task, so Spark wraps it.
    """
    by_payment = StructType([StructField("payment", LongType()), StructField("line", StringType())])
    grouped = (
        lines.mapInArrow(_by_payment, by_payment)
        .groupBy("payment")
        .agg(F.collect_list("line").alias("lines"))
    )
    # Packed: a Row a label would fill the driver.
    schema = StructType([StructField("payments", BinaryType()), StructField("findings", BinaryType())])
    findings: dict[int, Finding] = {}
    for row in grouped.mapInArrow(_counting, schema).collect():
        payments = array("Q", bytes(row["payments"]))
        findings |= zip(payments, map(Finding, row["findings"]), strict=True)
    return findings


def _by_payment(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        lines = batch.column("line").to_pylist()
        labels = [label_of(read_item(line)) for line in lines]
        payments = [payment_hash(label.user_id, label.event_key) - _SIGN for label in labels]
        yield pa.RecordBatch.from_arrays(
            [pa.array(payments, pa.int64()), pa.array(lines)], ["payment", "line"]
        )


def _counting(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        payments, groups = (batch.column(name).to_pylist() for name in ("payment", "lines"))
        found = {
            payment + _SIGN: finding
            for payment, lines in zip(payments, groups, strict=True)
            if (finding := counting_finding(label_of(read_item(line)) for line in lines)) is not None
        }
        packed = [array("Q", found).tobytes(), bytes(found.values())]
        yield pa.RecordBatch.from_arrays(
            [pa.array([part], pa.binary()) for part in packed], ["payments", "findings"]
        )


def _lines(batch: pa.RecordBatch) -> Iterator[tuple[str, str]]:
    return zip(batch.column("line").to_pylist(), batch.column("file").to_pylist(), strict=True)


def _scores(judged: Iterable[JudgedRow], scored: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
    rows = ((*(column.value(each) for column in scored), None) for each in judged)
    while some := list(islice(rows, _BATCH_ROWS)):
        yield _record_batch(scored, some)


def _record_batch(scored: tuple[Column, ...], rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    names = [*(column.name for column in scored), "tally"]
    types = [*(_ARROW_TYPES[column.kind] for column in scored), pa.binary()]
    values = zip(*rows, strict=True)
    arrays = [pa.array(column, arrow) for column, arrow in zip(values, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names)


def _spark_type(column: Column) -> DataType:
    return LongType() if column.kind == "long" else StringType()
