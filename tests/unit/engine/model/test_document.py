"""What a model's document may say; each refusal names the place."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from engine.errors import InvalidModelError
from engine.features.catalogue import CATALOGUE
from engine.model.document import MAX_MODEL_BYTES, decode, encode
from engine.model.tables import read_model
from tests.support.model_samples import (
    AMOUNT_TERM,
    CHANNEL_TERM,
    DEVICE_TERM,
    FRAUD_TERM,
    model_content,
    model_document,
    sealed,
)


def _problems(data: bytes) -> tuple[str, ...]:
    with pytest.raises(InvalidModelError) as caught:
        read_model(data, "m.json")
    return caught.value.problems


def _changed(path: str, value: object, *terms: dict[str, Any]) -> bytes:
    """A document with one value replaced; the path is like ``terms.0.log_odds``."""
    content = deepcopy(json.loads(model_document(*terms))["model"])
    *parents, last = path.split(".")
    place = content
    for each in parents:
        place = place[int(each) if each.isdigit() else each]
    place[int(last) if last.isdigit() else last] = value
    return sealed(content)


def test_a_document_that_is_written_is_read_back() -> None:
    sha256, document = decode(model_document(), "m.json", CATALOGUE)

    again = decode(encode(document), "m.json", CATALOGUE)[1]

    assert again == document
    assert len(sha256) == 64


def test_a_model_is_named_by_the_digest_of_its_content() -> None:
    one, other = read_model(model_document(), "m"), read_model(model_document(intercept=-3.0), "m")

    assert one.sha256 == json.loads(model_document())["sha256"]
    assert one.sha256 != other.sha256


def test_a_document_with_a_changed_byte_is_refused() -> None:
    (problem,) = _problems(model_document().replace(b"-4.0", b"-4.5"))

    assert problem.startswith("$.sha256 is ")
    assert problem.endswith("it was changed or cut off")


def test_a_document_that_is_too_large_is_refused() -> None:
    assert _problems(b" " * (MAX_MODEL_BYTES + 1)) == ("200,001 bytes; at most 200,000",)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{", b'{"sha256": "1", "model": {}}', b'{"model": {}}']
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    assert len(_problems(data)) == 1


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(number: str) -> None:
    content = json.dumps(model_content()).replace("-4.0", number)
    data = sealed("CONTENT").replace(b'"CONTENT"', content.encode())

    assert len(_problems(data)) == 1


def test_the_message_names_the_document_and_the_place() -> None:
    with pytest.raises(InvalidModelError, match=r"^m\.json: .* - at `\$\.terms\[0\]\.axes\[0\]\.edges\[1\]`"):
        read_model(_changed("terms.0.axes.0.edges.1", "ten"), "m.json")


@pytest.mark.parametrize(
    ("term", "path", "value", "problem"),
    [
        (
            AMOUNT_TERM, "features.0.name", "amount_in_gold",
            "$.features[0]: 'amount_in_gold' is no feature here",
        ),
        (
            AMOUNT_TERM, "features.0.version", 2,
            "$.features[0]: 'amount_base' has definition version 1 here; the model was trained on version 2",
        ),
        (
            AMOUNT_TERM, "features.0.type", "int",
            "$.features[0]: 'amount_base' is double here; the model was trained on int",
        ),
        (DEVICE_TERM, "features.1.name", "amount_base", "$.features[1]: 'amount_base' appears twice"),
        (
            AMOUNT_TERM, "terms.0.axes.0.feature", "amount",
            "$.terms[0].axes[0].feature 'amount' is not in $.features",
        ),
        (
            AMOUNT_TERM, "terms.0.log_odds", [1.0],
            "$.terms[0].log_odds has 1 items; the axes have 4 bins together",
        ),
        (
            AMOUNT_TERM, "terms.0.axes.0.edges", [10.0, 10.0, 20.0],
            "$.terms[0].axes[0].edges[1] is 10, not above the edge before it, 10",
        ),
        (
            CHANNEL_TERM, "terms.0.axes.0", {"feature": "channel", "edges": [1.0, 2.0]},
            "$.terms[0].axes[0].edges: 'channel' is text, which has values",
        ),
        (
            AMOUNT_TERM, "terms.0.axes.0", {"feature": "amount_base", "values": [["a"], ["b"], ["c"]]},
            "$.terms[0].axes[0].values: 'amount_base' is double, which has edges",
        ),
        (
            CHANNEL_TERM, "terms.0.axes.0.values", [["atm"], ["atm"]],
            "$.terms[0].axes[0].values: a text appears twice",
        ),
        (
            DEVICE_TERM, "terms.0.axes.1.feature", "is_new_device",
            "$.terms[0]: both axes are 'is_new_device'",
        ),
        (
            AMOUNT_TERM, "sample.0.fraud_probability", 0.7,
            "$.sample[0]: the tables give 0.0067; recorded is 0.7",
        ),
        (AMOUNT_TERM, "sample.0.values", [], "$.sample[0].values has 0 items; $.features has 1"),
        (
            AMOUNT_TERM, "terms.0.log_odds.2", 700.0,
            "$.calibration: the log-odds may reach 704; at most 500",
        ),
    ],
)  # fmt: skip
def test_a_model_that_does_not_fit_is_refused_with_its_place(
    term: dict[str, Any], path: str, value: object, problem: str
) -> None:
    assert problem in _problems(_changed(path, value, term))


def test_two_terms_of_the_same_features_are_refused() -> None:
    problem = "$.terms[1]: an earlier term has the same features, amount_base"

    assert problem in _problems(model_document(AMOUNT_TERM, AMOUNT_TERM))


@pytest.mark.parametrize(
    ("term", "feature", "direction", "word"),
    [
        pytest.param(FRAUD_TERM, "merchant_frauds_30d", -1, "rise", id="one axis"),
        pytest.param(
            {**DEVICE_TERM, "log_odds": [0.0, 0.0, 0.0, -1.0]}, "amount_base", 1, "fall", id="second axis"
        ),
        pytest.param(
            {**DEVICE_TERM, "log_odds": [0.0, 1.0, 1.0, 0.5]}, "is_new_device", 1, "fall", id="first axis"
        ),
    ],
)
def test_a_table_against_the_direction_of_a_feature_is_refused(
    term: dict[str, Any], feature: str, direction: int, word: str
) -> None:
    problems = _problems(model_document(term, directions={feature: direction}))

    assert (
        f"$.terms[0].log_odds: they {word} where '{feature}' rises, which its direction rules out" in problems
    )


def test_an_axis_of_too_many_bins_is_refused() -> None:
    term = {
        "axes": [{"feature": "amount_base", "edges": [float(edge) for edge in range(64)]}],
        "log_odds": [0.0] * 65,
    }

    assert _problems(model_document(term)) == ("$.terms[0].axes[0] has 65 bins; at most 64",)


def test_a_table_of_too_many_cells_is_refused() -> None:
    edges = [float(edge) for edge in range(32)]
    axes = [{"feature": name, "edges": edges} for name in ("amount_base", "tx_count_1h")]

    problems = _problems(model_document({"axes": axes, "log_odds": [0.0] * 33 * 33}))

    assert problems == ("$.terms[0].log_odds has 1089 items; at most 1024",)


def test_a_recorded_value_of_another_type_is_refused() -> None:
    (problem,) = _problems(_changed("sample.0.values", ["ten"], AMOUNT_TERM))

    assert problem.startswith("$.sample[0].values: ")


def test_all_problems_are_named_at_once() -> None:
    data = model_document(AMOUNT_TERM, AMOUNT_TERM, calibration={"slope": 10.0, "offset": 1e6})

    assert len(_problems(data)) == 2


def test_a_document_of_a_later_format_is_refused() -> None:
    (problem,) = _problems(_changed("format", 2))

    assert "$.format" in problem


def test_the_document_is_what_was_encoded() -> None:
    document = decode(model_document(), "m.json", CATALOGUE)[1]
    changed = msgspec.structs.replace(document, intercept=-3.0)

    assert encode(document) == encode(document) != encode(changed)
