"""Decides again about the rows of an export, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.canary import is_canary
from contract.errors import InvalidRowError
from contract.exports import ExportError, read_item
from contract.scored import from_history_item
from engine.decide import decide_again
from engine.decided import Assessment
from engine.features.stored import FeatureSetError
from lab.rows.judged import JudgedRow
from lab.rows.tally import RowsTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contract.scored import ScoredTransaction
    from engine.rules.ruleset import Ruleset
    from lab.rows.truth import LabelBook


class RowJudge:
    """Decides again about lines of an export, and counts what it decides.

    Parameters
    ----------
    ruleset : Ruleset
        The rules, with a model or without one.
    labels : LabelBook
        What is known of the payments.

    Attributes
    ----------
    tally : RowsTally
        What was counted so far.
    """

    def __init__(self, ruleset: Ruleset, labels: LabelBook) -> None:
        self.tally = RowsTally()
        self._ruleset = ruleset
        self._labels = labels

    def judge_all(self, lines: Iterable[tuple[str | bytes, str]]) -> Iterator[JudgedRow]:
        """Decide about one line after the other.

        Parameters
        ----------
        lines : Iterable[tuple[str | bytes, str]]
            Lines of an export of ``transaction_history``, each with the name of its file for messages.

        Yields
        ------
        JudgedRow
            In the order of the lines. Rows that repeat a payment, canaries, and what cannot be read are counted only.
        """
        for line, file in lines:
            judged = self._judge(line, file)
            if judged is not None:
                self.tally.count(judged)
                yield judged

    def _judge(self, line: str | bytes, file: str) -> JudgedRow | None:
        tally = self.tally
        tally.rows += 1
        try:
            item = read_item(line)
            row = from_history_item(item)
            if row.repeats:
                tally.repeats += 1
                return None
            if is_canary(row.transaction.user_id):
                tally.canaries += 1
                return None
            again = decide_again(row, self._ruleset)
        except (ExportError, InvalidRowError, FeatureSetError) as error:
            tally.refuse(str(error), file)
            return None
        finding = self._labels.finding(row, item["event_key"]["S"], again.times.clock_ms)
        return JudgedRow(row, _stored(row), again, finding)


def _stored(row: ScoredTransaction) -> Assessment:
    shadow, failed = row.shadow_rule_ids, row.failed_rule_ids
    return Assessment(row.risk_score, row.decision, row.reasons, shadow, failed, row.risk_score)
