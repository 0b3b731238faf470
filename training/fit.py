"""Fits a model's tables to a point-in-time set: ``python -m training.fit SET.npz OUT.npz``, in the environment of requirements/train.txt.

It imports scikit-learn, and nothing of the system, so that it runs in AWS's own container as well. Boosted trees of depth one and two are
fitted twice: once to all features, to find the few features and pairs that matter, and once to these. How many trees there are, and the
calibration, come from payments that the trees have not seen: each of four spans of time is scored by trees of the three others.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from training.binning import Bins, bins_of_numbers, bins_of_texts, codes_of
from training.merging import Leaf, Split, Tables, centred, merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    Codes = npt.NDArray[np.uint8]
    Floats = npt.NDArray[np.float64]
    Booleans = npt.NDArray[np.bool_]

MAX_FEATURES: Final = 40
MAX_PAIRS: Final = 40
"""What fits into 25 µs a payment."""
MAX_TREES: Final = 300
STEP: Final = 20
"""The number of trees is a multiple of it."""
FIRST_TREES: Final = 100
"""Of the fit that finds the features."""
SPANS: Final = 4
SAMPLES: Final = 12
DIGITS: Final = 4
"""Of log-odds in a table."""
_MAX_DIFFERENCE: Final = 0.01
"""Between the log-odds of rounded tables and those of the trees."""
_MIN_FRAUDS: Final = 20


class Problem(NamedTuple):
    """What is fitted."""

    codes: Codes
    is_fraud: Booleans
    weight: Floats
    directions: list[int]
    bins: list[int]


class TooFewFraudsError(Exception):
    """There is too little fraud to learn from; says how much there is."""


def fitted(problem: Problem, trees: int, pairs: Sequence[tuple[int, int]] | None = None) -> Any:
    """Fit boosted trees of at most two splits along a branch; only to ``pairs`` where they are given."""
    # A feature in no set would be put into one set with all such features.
    alone = [{feature} for feature in range(len(problem.bins))]
    classifier = HistGradientBoostingClassifier(
        learning_rate=0.08,
        max_iter=trees,
        max_leaf_nodes=4,
        max_depth=2,
        min_samples_leaf=20,
        l2_regularization=2.0,
        monotonic_cst=problem.directions,
        interaction_cst=None if pairs is None else [*map(set, pairs), *alone],
        early_stopping=False,
        random_state=0,
    )
    return classifier.fit(problem.codes.astype(np.float32), problem.is_fraud, sample_weight=problem.weight)


def trees_of(classifier: Any) -> tuple[float, list[Leaf | Split]]:
    """Read a classifier's intercept and trees. scikit-learn shows neither; a test compares them with its own predictions."""
    baseline = float(np.ravel(classifier._baseline_prediction)[0])
    return baseline, [_tree(each[0].nodes, 0) for each in classifier._predictors]


def _tree(nodes: Any, place: int) -> Leaf | Split:
    node = nodes[place]
    if node["is_leaf"]:
        return Leaf(float(node["value"]))
    last = int(np.floor(node["num_threshold"]))
    return Split(
        int(node["feature_idx"]), last, _tree(nodes, int(node["left"])), _tree(nodes, int(node["right"]))
    )


def select(tables: Tables, codes: Codes, weight: Floats) -> tuple[list[int], list[tuple[int, int]]]:
    """Find the features and the pairs whose tables vary most over the payments: at most :data:`MAX_FEATURES`, :data:`MAX_PAIRS`."""
    of_pairs = {
        pair: _variance(table[codes[:, pair[0]], codes[:, pair[1]]], weight)
        for pair, table in tables.pairs.items()
    }
    of_features = {
        feature: _variance(table[codes[:, feature]], weight) for feature, table in tables.singles.items()
    }
    for pair, spread in of_pairs.items():
        for feature in pair:
            of_features[feature] = of_features.get(feature, 0.0) + spread / 2
    features = sorted(of_features, key=lambda each: (-of_features[each], each))[:MAX_FEATURES]
    chosen = set(features)
    pairs = sorted(
        (pair for pair in of_pairs if chosen.issuperset(pair)), key=lambda pair: (-of_pairs[pair], pair)
    )
    return sorted(chosen), pairs[:MAX_PAIRS]


def spans_of(since_s: npt.NDArray[np.int64], is_fraud: Booleans) -> npt.NDArray[np.int64]:
    """Give each payment its span of time; each span has about as many frauds."""
    cuts = np.quantile(since_s[is_fraud], np.arange(1, SPANS) / SPANS)
    return np.searchsorted(cuts, since_s, side="right")


def calibration(log_odds: Floats, is_fraud: Booleans, weight: Floats) -> tuple[float, float]:
    """Slope and offset that make the log-odds of unseen payments probabilities (Platt, 1999), by Newton's method with halved steps."""
    signed = np.where(is_fraud, -1.0, 1.0)

    def loss(parameters: Floats) -> float:
        fitted_log_odds = parameters[0] * log_odds + parameters[1]
        # A weak pull towards 1 and 0: with little fraud, or one that is found without an error, they are hardly known.
        pull = ((parameters - (1.0, 0.0)) ** 2).sum() / 2
        return float((weight * np.logaddexp(0.0, signed * fitted_log_odds)).sum() + pull)

    parameters = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(parameters[0] * log_odds + parameters[1], -500, 500)))
        error, curve = weight * (is_fraud - p), weight * p * (1 - p)
        gradient = np.array([(error * log_odds).sum(), error.sum()]) - (parameters - (1.0, 0.0))
        cross = (curve * log_odds).sum()
        curvature = np.array([[(curve * log_odds**2).sum() + 1.0, cross], [cross, curve.sum() + 1.0]])
        step, before = np.linalg.solve(curvature, gradient), loss(parameters)
        while loss(parameters + step) > before and float(np.abs(step).max()) > 1e-9:
            step = step / 2
        parameters = parameters + step
        if float(np.abs(step).max()) < 1e-9:
            break
    return round(min(max(float(parameters[0]), 0.1), 3.0), 6), round(float(parameters[1]), 6)


def fit(
    values: Floats,
    is_fraud: Booleans,
    weight: Floats,
    since_s: npt.NDArray[np.int64],
    described: dict[str, Any],
) -> tuple[dict[str, Any], Floats]:
    """Fit tables, and calibrate them.

    Returns
    -------
    tuple[dict, array]
        The parts of the model's document that come from the data; and the calibrated log-odds of each payment by trees that have not
        seen it.
    """
    if is_fraud.sum() < _MIN_FRAUDS:
        raise TooFewFraudsError(f"{int(is_fraud.sum())} frauds are known; at least {_MIN_FRAUDS} are needed")
    features, texts = described["features"], described["texts"]
    bins = [
        bins_of_texts(values[:, place], tuple(texts[each["name"]]), is_fraud, weight)
        if each["type"] == "string"
        else bins_of_numbers(values[:, place], is_fraud)
        for place, each in enumerate(features)
    ]
    codes = np.column_stack(
        [
            codes_of(each, values[:, place], tuple(texts.get(features[place]["name"], ())))
            for place, each in enumerate(bins)
        ]
    )
    directions = [each.get("direction", 0) for each in features]
    everything = Problem(codes, is_fraud, weight, directions, [each.size for each in bins])
    baseline, trees = trees_of(fitted(everything, FIRST_TREES))
    first = merge(trees, everything.bins, directions, baseline)
    kept, pairs = select(first, codes, weight)
    places = {feature: place for place, feature in enumerate(kept)}
    problem = Problem(
        codes[:, kept],
        is_fraud,
        weight,
        [directions[each] for each in kept],
        [bins[each].size for each in kept],
    )
    own_pairs = [(places[one], places[two]) for one, two in pairs]
    unseen, count = _unseen(problem, own_pairs, spans_of(since_s, is_fraud))
    slope, offset = calibration(unseen, is_fraud, weight)
    classifier = fitted(problem, count, own_pairs)
    baseline, trees = trees_of(classifier)
    tables = _rounded(
        centred(merge(trees, problem.bins, problem.directions, baseline), problem.codes, weight)
    )
    scored = tables.score(problem.codes)
    difference = float(np.abs(scored - classifier.decision_function(problem.codes.astype(np.float32))).max())
    if difference > _MAX_DIFFERENCE:
        raise ValueError(
            f"tables and trees differ by {difference:.4f} in log-odds; at most {_MAX_DIFFERENCE}"
        )
    used = sorted({*tables.singles, *(each for pair in tables.pairs for each in pair)})
    named = [(features[kept[each]], bins[kept[each]]) for each in range(len(kept))]
    result = {
        "features": [named[each][0] for each in used],
        "intercept": tables.intercept,
        "terms": _terms(tables, named, problem.codes, weight),
        "calibration": {"slope": slope, "offset": offset},
        "sample": _sample(
            values[:, kept],
            problem.codes,
            used,
            named,
            texts,
            lambda rows: slope * tables.score(rows) + offset,
        ),
    }
    return result, slope * unseen + offset


def _unseen(
    problem: Problem, pairs: Sequence[tuple[int, int]], span: npt.NDArray[np.int64]
) -> tuple[Floats, int]:
    """Log-odds of each payment by trees of the other spans, and the number of trees with which they are best."""
    stages = MAX_TREES // STEP
    unseen = np.zeros((stages, len(span)))
    for each in np.unique(span):
        held, others = span == each, span != each
        part = problem._replace(
            codes=problem.codes[others], is_fraud=problem.is_fraud[others], weight=problem.weight[others]
        )
        classifier = fitted(part, MAX_TREES, pairs)
        predictions = classifier.staged_decision_function(problem.codes[held].astype(np.float32))
        for stage, prediction in enumerate(predictions, 1):
            if stage % STEP == 0:
                unseen[stage // STEP - 1, held] = np.ravel(prediction)
    signed = np.where(problem.is_fraud, -1.0, 1.0)
    losses = [float((problem.weight * np.logaddexp(0.0, signed * row)).sum()) for row in unseen]
    best = int(np.argmin(losses))
    return unseen[best], (best + 1) * STEP


def _rounded(tables: Tables) -> Tables:
    return Tables(
        round(tables.intercept, DIGITS),
        {feature: np.round(table, DIGITS) for feature, table in tables.singles.items()},
        {pair: np.round(table, DIGITS) for pair, table in tables.pairs.items()},
    )


def _terms(
    tables: Tables, named: Sequence[tuple[dict[str, Any], Bins]], codes: Codes, weight: Floats
) -> list[dict[str, Any]]:
    """Write the tables as the document's terms, those that vary most over the payments first."""
    terms: list[tuple[float, dict[str, Any]]] = []
    for feature, table in sorted(tables.singles.items()):
        axis, rows = _axis(*named[feature], table[:, None])
        term = {"axes": [axis], "log_odds": table[rows].tolist()}
        terms.append((_variance(table[codes[:, feature]], weight), term))
    for (one, two), table in sorted(tables.pairs.items()):
        first, rows = _axis(*named[one], table)
        second, columns = _axis(*named[two], table.T)
        term = {"axes": [first, second], "log_odds": np.ravel(table[np.ix_(rows, columns)]).tolist()}
        terms.append((_variance(table[codes[:, one], codes[:, two]], weight), term))
    return [term for _, term in sorted(terms, key=lambda each: -round(each[0], 9))]


def _variance(values: Floats, weight: Floats) -> float:
    mean = np.average(values, weights=weight)
    return float(np.average((values - mean) ** 2, weights=weight))


def _axis(feature: dict[str, Any], bins: Bins, table: Floats) -> tuple[dict[str, Any], list[int]]:
    """Give the axis without edges at which the table stays the same, and a row of each of its bins."""
    starts = [0, *(row for row in range(1, bins.size) if not np.array_equal(table[row], table[row - 1]))]
    if not bins.texts:
        return {"feature": feature["name"], "edges": [bins.edges[row - 1] for row in starts[1:]]}, starts
    ends = [*starts[1:], bins.size]
    groups = [(bins.texts[start:end], start) for start, end in zip(starts, ends)]  # noqa: B905 - Python 3.9 in AWS's container
    groups.sort(key=lambda group: None not in group[0])  # the one of all other texts first
    values = [[text for text in texts if text is not None] for texts, _ in groups[1:]]
    return {"feature": feature["name"], "values": values}, [start for _, start in groups]


def _sample(
    values: Floats,
    codes: Codes,
    used: Sequence[int],
    named: Sequence[tuple[dict[str, Any], Bins]],
    texts: dict[str, Any],
    log_odds: Any,
) -> list[dict[str, Any]]:
    """Payments by which a reader checks itself. Each value comes from another payment, so that nobody's payment is shown."""
    draw = np.random.default_rng(0)
    order = np.argsort(log_odds(codes), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, SAMPLES).astype(int)]
    rows = np.array([chosen if place % 2 else draw.permutation(chosen) for place in range(values.shape[1])]).T
    mixed = np.take_along_axis(values, rows, axis=0)
    mixed_codes = np.take_along_axis(codes, rows, axis=0)
    sample = []
    for row, score in enumerate(log_odds(mixed_codes)):
        listed = [_plain(named[each][0], mixed[row, each], texts) for each in used]
        probability = round(1.0 / (1.0 + float(np.exp(-score))), 4)
        sample.append({"values": listed, "fraud_probability": probability})
    return sample


def _plain(feature: dict[str, Any], value: float, texts: dict[str, Any]) -> object:
    if feature["type"] == "string":
        return texts[feature["name"]][int(value)]
    return {"bool": bool, "int": int, "double": float}[feature["type"]](value)


def main() -> None:
    """Read a set, fit it, and write what the document needs."""
    parser = argparse.ArgumentParser(prog="python -m training.fit", description=__doc__)
    parser.add_argument("set", type=Path, help="the point-in-time set, .npz")
    parser.add_argument("out", type=Path, help="tables and unseen log-odds, .npz")
    options = parser.parse_args()
    with np.load(options.set) as stored:
        described = json.loads(stored["described"].tobytes())
        result, unseen = fit(
            stored["values"], stored["is_fraud"], stored["weight"], stored["since_s"], described
        )
    np.savez(options.out, result=np.frombuffer(json.dumps(result).encode(), np.uint8), unseen=unseen)


if __name__ == "__main__":
    main()
