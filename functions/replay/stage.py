"""Reads a payment's row, makes its decision again, and says how both compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from contract.flagged import FlaggedKey, to_flagged_key
from contract.replayed import ReplayAnswer, ReplayDifference, ReplayedDecision, ReplayRequest
from contract.scored import from_history_item
from engine.errors import InvalidRulesetError
from engine.features.stored import FeatureSetError
from engine.replay import UnknownRulesetError, made_again, stored_features

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.scored import ScoredTransaction
    from engine.replay import Difference
    from engine.rules.ruleset import Ruleset

GONE: Final = ReplayAnswer(why_not="The payment's row is not kept any more.")
REPEAT: Final = ReplayAnswer(
    why_not="The payment repeats another one and has its decision; open that one to make it again."
)


class Rulesets(Protocol):
    """The call to the rulesets; see :class:`replay.kept_rulesets.KeptRulesets`."""

    def ruleset(self, digest: str) -> Ruleset:
        """Give the ruleset of a digest."""
        ...


class ReplayStage:
    """Makes decisions again.

    Parameters
    ----------
    dynamodb : DynamoDBClient
        A low-level client.
    table : str
        Name of the history in this environment.
    rulesets : Rulesets
        Every one that was ever active.
    """

    def __init__(self, dynamodb: DynamoDBClient, table: str, rulesets: Rulesets) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._rulesets = rulesets

    def handle(self, event: Any) -> Any:
        """Answer one request.

        Parameters
        ----------
        event : Any
            A :class:`~contract.replayed.ReplayRequest`.

        Returns
        -------
        Any
            A :class:`~contract.replayed.ReplayAnswer`, as JSON's types.

        Raises
        ------
        msgspec.ValidationError
            For an event of another form.
        InvalidRowError, msgspec.DecodeError
            Where the row, or its features, cannot be read.
        ClientError, BotoCoreError, ModelUnreachableError
            Where a table or the bucket did not answer.
        """
        request = msgspec.convert(event, ReplayRequest)
        key = to_flagged_key(FlaggedKey(request.user_id, request.event_key))
        item = self._dynamodb.get_item(TableName=self._table, Key=key).get("Item")
        answer = GONE if item is None else self._answer(from_history_item(item))
        return msgspec.to_builtins(answer)

    def _answer(self, row: ScoredTransaction) -> ReplayAnswer:
        if row.repeats:
            return REPEAT
        digest = row.ruleset_version.rpartition("+")[2]
        try:
            ruleset = self._rulesets.ruleset(digest)
            features = stored_features(row)
        except UnknownRulesetError as error:
            return ReplayAnswer(why_not=str(error))
        except InvalidRulesetError as error:
            # Without its excerpt: a line of a document may hold an address or a device of a list.
            return ReplayAnswer(
                why_not=f"Ruleset {digest} is refused by this version: {error.problems[0].without_excerpt}"
            )
        except FeatureSetError as error:
            return ReplayAnswer(why_not=f"Its features cannot be read by this version: {error}.")
        made = made_again(row, ruleset, features)
        deciding = ruleset.of_side(made.side)
        return ReplayAnswer(
            ReplayedDecision(
                ruleset=ruleset.stored_version,
                model=deciding.model_sha256 or "",
                side=made.side,
                decision=made.assessment.decision,
                risk_score=made.assessment.risk_score,
                reasons=made.assessment.reasons,
                shadow_rule_ids=made.assessment.shadow_rule_ids,
                failed_rule_ids=made.assessment.failed_rule_ids,
                other=made.other,
                fraud_probability=made.fraud_probability,
                differences=tuple(map(_difference, made.differences)),
            )
        )


def _difference(difference: Difference) -> ReplayDifference:
    return ReplayDifference(difference.name, _text(difference.stored), _text(difference.computed))


def _text(value: object) -> str:
    return "nothing" if value in (None, ()) else str(msgspec.to_builtins(value, enc_hook=str))
