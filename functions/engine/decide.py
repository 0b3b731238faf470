"""The one path from a payment to a decision: lessons, features, model, rules, decision. Pure: the same input gives the same decision.

The score stage, backtests, replays, benchmarks and the tests' oracle all call :func:`decide`, and fold what it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.canary import CANARY_RULE_ID, is_flagged_canary
from contract.clock import EPOCH, MILLISECOND, has_content_mark, times_on
from contract.errors import InvalidRowError
from contract.reason import Reason
from contract.scored import HISTORY_TABLE, Decision, FeatureValue, OtherVerdict, ScoredTransaction
from contract.side import Side
from engine.decided import Assessment, Decided, DecidedAgain
from engine.entities.book import NO_ENTITIES
from engine.entities.risk import NO_RISKS
from engine.features.catalogue import FEATURE_SET, PLACES, Features, features_and_sighting
from engine.features.model import ABSENT, FRAUD_PROBABILITY
from engine.features.place import is_doubted
from engine.features.stored import DamagedFeaturesError, pack, read_features
from engine.model.explanation import model_reasons
from engine.profile.facts import check_money
from engine.profile.outcome import Outcome
from engine.rules.reasons import sentence
from engine.rules.ruleset import MAX_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contract.scored import Position
    from contract.transaction import Transaction
    from contract.verdict import Verdict
    from engine.entities.book import EntityReading
    from engine.entities.risk import RiskReading
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts
    from engine.rules.ruleset import Ruleset, Thresholds


_PROBABILITY_PLACE: Final = PLACES[FRAUD_PROBABILITY]

_NO_PROBABILITY: Final = ABSENT[FRAUD_PROBABILITY]

_QUIET: Final = Assessment(0, Decision.APPROVE, (), (), ())
"""The assessment of nearly every payment: no rule holds, and no threshold is 0."""


def decide(
    facts: PaymentFacts,
    profile: Profile,
    ruleset: Ruleset,
    verdicts: Sequence[Verdict] = (),
    entities: EntityReading | Mapping[str, FeatureValue] = NO_ENTITIES,
    risks: RiskReading = NO_RISKS,
) -> Decided:
    """Decide about one payment of a user.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded. It learns what is due (:meth:`~engine.profile.profile.Profile.lessons`); the
        payment itself is not folded.
    ruleset : Ruleset
        The rules, thresholds and exchange rates. The side that is drawn for the user decides; the other is evaluated, too.
    verdicts : Sequence[Verdict]
        What people found about the user's payments, the newest at most, oldest first.
    entities : EntityReading | Mapping[str, FeatureValue]
        What is known of the payment's entities before it, or the features of the payment's stored row.
    risks : RiskReading
        What labels say of the payment's entities.

    Returns
    -------
    Decided
        A function of the arguments alone. A payment that repeats another one has that one's decision and score, and no reasons.
    """
    lessons = profile.lessons(facts, verdicts)
    profile.learn(lessons)
    features, sighting = features_and_sighting(facts, profile, ruleset.exchange, entities, risks)
    candidate = ruleset.candidate
    side = Side.CHAMPION if candidate is None else candidate.draw.side_of(facts.transaction.user_id)
    deciding = ruleset.of_side(side)
    if deciding.model is not None:
        features.in_order[_PROBABILITY_PLACE] = deciding.model.model.fraud_probability(features)
    repeated = profile.repeated(facts)
    if repeated is not None:
        assessment = Assessment(repeated.risk_score, repeated.decision, (), (), ())
        outcome = Outcome(repeated.decision, repeated.risk_score, repeated.key_hash, lessons)
        return Decided(features, assessment, outcome, sighting, side)
    assessment = is_fraudulent(features, facts.transaction, deciding, facts.clock_ms)
    # What is not approved moves nobody anyway.
    doubted = assessment.decision is Decision.APPROVE and is_doubted(facts, profile, features)
    outcome = Outcome(assessment.decision, assessment.risk_score, 0, lessons, doubted)
    if assessment.decision is not Decision.APPROVE:
        sighting = sighting._replace(is_approved=False)
    if candidate is None:
        return Decided(features, assessment, outcome, sighting)
    other = ruleset if side is Side.CANDIDATE else candidate.ruleset
    theirs = is_fraudulent(_by_model_of(other, deciding, features), facts.transaction, other, facts.clock_ms)
    return Decided(features, assessment, outcome, sighting, side, theirs)


def _by_model_of(other: Ruleset, deciding: Ruleset, features: Features) -> Features:
    """The features with the probability of the other side's model, in the place of that of the side that decides."""
    if other.model_sha256 == deciding.model_sha256:
        return features
    return features.with_value(_PROBABILITY_PLACE, _probability(other, features))


def _probability(ruleset: Ruleset, features: Mapping[str, FeatureValue]) -> FeatureValue:
    """What the ruleset's model says of the features; the probability that they hold is not among its inputs."""
    used = ruleset.model
    return _NO_PROBABILITY if used is None else used.model.fraud_probability(features)


def assess(
    ruleset: Ruleset, features: Mapping[str, FeatureValue], transaction: Transaction, clock_ms: int
) -> Assessment:
    """Assess a payment by one ruleset, with the probability of its own model.

    Parameters
    ----------
    ruleset : Ruleset
        Of either side.
    features : Mapping[str, FeatureValue]
        As they were computed, or stored; the probability that they hold is of no account.
    transaction, clock_ms
        As :func:`is_fraudulent` takes them.
    """
    probability = _probability(ruleset, features)
    if isinstance(features, Features):
        features = features.with_value(_PROBABILITY_PLACE, probability)
    else:
        features = {**features, FRAUD_PROBABILITY: probability}
    return is_fraudulent(features, transaction, ruleset, clock_ms)


def decide_again(row: ScoredTransaction, ruleset: Ruleset) -> DecidedAgain:
    """Decide about a stored payment, by the features that its row holds.

    The champion decides, also about the users of a candidate. The features do not follow other rules: habits that were taught by what was
    approved then, and amounts at the exchange rates of then.

    Parameters
    ----------
    row : ScoredTransaction
        As :func:`contract.scored.from_history_item` reads it, and no repeat of another payment.
    ruleset : Ruleset
        The rules, with a model or without one.

    Returns
    -------
    DecidedAgain
        A function of the arguments alone. By the side of the row's ruleset that decided it is what the row says.

    Raises
    ------
    FeatureSetError
        Where the row's features are of a catalogue that is not known here.
    InvalidRowError
        Where they are damaged, or the money is.
    """
    transaction = row.transaction
    check_money(transaction)
    try:
        features = read_features(row.features, row.feature_set)
    except DamagedFeaturesError as error:
        raise InvalidRowError(HISTORY_TABLE, "features", "not those of the row's feature set") from error
    features.in_order[_PROBABILITY_PLACE] = _probability(ruleset, features)
    appended_at_ms = (row.appended_at - EPOCH) // MILLISECOND
    times = times_on(row.basis, transaction.timestamp, appended_at_ms)
    return DecidedAgain(features, is_fraudulent(features, transaction, ruleset, times.clock_ms), times)


def scored_transaction(
    facts: PaymentFacts,
    decided: Decided,
    ruleset: Ruleset,
    position: Position,
    appended_at: datetime,
    scored_at: datetime,
    *,
    profile_version: int,
    degraded: bool = False,
) -> ScoredTransaction:
    """Make what a payment's history row says.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    decided : Decided
        What was decided about it,
    ruleset : Ruleset
        by which rules.
    position : Position
        Where the payment's record is in Kafka.
    appended_at, scored_at : datetime
        When Kafka took the record, and when it was decided; UTC.
    profile_version : int
        How many payments the user's profile held before.
    degraded : bool
        Whether the profile comes from checkpoints and history because the cache could not be used.
    """
    assessment, outcome = decided.assessment, decided.outcome
    transaction = facts.transaction
    other = decided.other
    # Whoever is alerted needs the worth; in other rows it would only take space.
    is_worth_kept = assessment.decision is not Decision.APPROVE
    scored = ScoredTransaction(
        transaction=transaction,
        position=position,
        risk_score=assessment.risk_score,
        decision=assessment.decision,
        reasons=assessment.reasons,
        shadow_rule_ids=assessment.shadow_rule_ids,
        failed_rule_ids=assessment.failed_rule_ids,
        features=pack(decided.features),
        feature_set=FEATURE_SET,
        ruleset_version=ruleset.stored_version,
        profile_version=profile_version,
        degraded=degraded,
        basis=facts.basis,
        repeats=outcome.repeats,
        releases=outcome.lessons.releases,
        verdicts=outcome.lessons.verdicts,
        is_place_doubted=outcome.is_place_doubted,
        amount_base=ruleset.worth(transaction.amount, transaction.currency) if is_worth_kept else None,
        base_currency=ruleset.base_currency if is_worth_kept else None,
        side=decided.side,
        other=None if other is None else OtherVerdict(other.decision, other.risk_score),
        appended_at=appended_at,
        scored_at=scored_at,
    )
    if has_content_mark(facts.event_key):
        # What the row would make of its payment once more; a payment that a former version stored has a key of another form.
        scored.__dict__["event_key"] = facts.event_key
    return scored


def is_fraudulent(
    features: Mapping[str, FeatureValue],
    transaction: Transaction,
    ruleset: Ruleset,
    clock_ms: int | None = None,
) -> Assessment:
    """Assess one payment by its features.

    Parameters
    ----------
    features : Mapping[str, FeatureValue]
        Every feature of the catalogue, by name.
    transaction : Transaction
        The payment; its ids are looked up in the ruleset's lists.
    ruleset : Ruleset
        The rules and thresholds.
    clock_ms : int | None
        The payment's clock, by which list entries expire; ms since the epoch. None takes the event time, as for a trusted feed.

    Returns
    -------
    Assessment
        A function of the arguments alone. A canary's payment that is to be flagged is held for review, whatever the ruleset says.
    """
    if is_flagged_canary(transaction.user_id):
        return _flagged_canary(ruleset.thresholds.review)
    if clock_ms is None:
        clock_ms = (transaction.timestamp - EPOCH) // MILLISECOND
    matches = ruleset.matches(features, transaction, clock_ms)
    used = ruleset.model
    model_points = 0 if used is None else used.points(float(features[FRAUD_PROBABILITY]))
    if not matches.rules and not matches.failed_rule_ids and model_points <= 0:
        return Assessment(0, Decision.APPROVE, (), (), (), model_points) if model_points else _QUIET
    live = [rule for rule in matches.rules if rule.mode == "live"]
    points = sum(rule.points for rule in live)
    reasons = [
        Reason(rule.id, rule.points, sentence(rule.reason, features, ruleset.base_currency)) for rule in live
    ]
    # What speaks for a payment that nothing speaks against needs no reasons; most payments are such.
    if used is not None and (model_points > 0 or (model_points < 0 < points)):
        reasons += model_reasons(used.model, features, model_points, ruleset.base_currency)
    reasons.sort(key=lambda reason: (-reason.points, reason.rule_id))
    points += model_points
    risk_score = min(max(points, 0), MAX_SCORE)
    return Assessment(
        risk_score=risk_score,
        decision=_decision(risk_score, ruleset.thresholds),
        reasons=tuple(reasons),
        shadow_rule_ids=tuple(sorted(rule.id for rule in matches.rules if rule.mode == "shadow")),
        failed_rule_ids=tuple(sorted(matches.failed_rule_ids)),
        points=points,
    )


def _flagged_canary(points: int) -> Assessment:
    reason = Reason(CANARY_RULE_ID, points, "A canary's payment: it shows that alerts arrive.")
    return Assessment(points, Decision.REVIEW, (reason,), (), (), points)


def _decision(risk_score: int, thresholds: Thresholds) -> Decision:
    if risk_score >= thresholds.block:
        return Decision.BLOCK
    if risk_score >= thresholds.review:
        return Decision.REVIEW
    return Decision.APPROVE
