"""Which mapping a landed file has, and which mappings the job refuses to start with."""

from __future__ import annotations

import pickle

import pytest

from contract.errors import MappingError
from glue_scripts.mappings import NO_MAPPINGS, PrefixMappings, parse_mappings

VALID = b"transaction_id: nr\nuser_id: who\namount: cents\ntimestamp: when\n"
FOLDER = "s3://work/mappings/0a1b"
LANDING = "s3://landing/in/"


def mappings(*names: str, landing: str = LANDING) -> PrefixMappings:
    return parse_mappings({f"{FOLDER}/{name}": VALID for name in names}, FOLDER, landing)


@pytest.mark.parametrize(
    ("file", "prefix"),
    [
        ("s3://landing/in/acme/a.csv", "acme"),
        ("s3://landing/in/acme/2026/01/a.csv", "acme"),
        ("s3://landing/in/acme/cards/a.csv", "acme/cards"),
        ("s3://landing/in/acme/cards/2026/a.csv", "acme/cards"),
        ("s3://landing/in/acme 2/a.csv", "acme 2"),
        ("s3://landing/in/acme-old/a.csv", None),
        ("s3://landing/in/Acme/a.csv", None),
        ("s3://landing/in/old/acme/a.csv", None),
        ("s3://landing/in/acme.csv", None),
        ("s3://landing/in/acme", None),
    ],
)
def test_the_longest_folder_with_a_mapping_counts(file: str, prefix: str | None) -> None:
    assert mappings("acme.yaml", "acme/cards.yaml", "acme 2.yaml").prefix_of(file) == prefix


@pytest.mark.parametrize("landing", ["file:///data/in", "file:/data/in/", "/data/in"])
def test_a_file_is_found_below_its_landing_path_however_the_url_is_written(landing: str) -> None:
    found = mappings("acme.yaml", landing=landing)

    assert found.prefix_of("file:/data/in/acme/a.csv") == "acme"
    assert found.prefix_of("file:///data/in/acme/a.csv") == "acme"


@pytest.mark.parametrize(
    "file", ["s3://landing/index/acme/a.csv", "s3://other/in/acme/a.csv", "s3://landing/in"]
)
def test_a_file_that_is_not_below_the_landing_path_is_an_error(file: str) -> None:
    with pytest.raises(ValueError, match="is not below s3://landing/in/"):
        mappings("acme.yaml").prefix_of(file)


def test_without_mappings_no_file_has_one() -> None:
    assert NO_MAPPINGS.prefix_of("s3://landing/in/acme/a.csv") is None


def test_mappings_travel_to_the_tasks() -> None:
    found = mappings("acme.yaml", "acme/cards.yaml")

    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("acme.yaml", b"user_id: [", "acme.yaml: $: not YAML"),
        ("acme.yaml", b"\xff", "acme.yaml: $: not UTF-8"),
        ("acme.yaml", VALID + b"payer: who", "acme.yaml: payer: not a field"),
        (
            "a/b.yaml",
            b"user_id: who\namount: c\ntimestamp: w",
            "a/b.yaml: transaction_id: every record needs it",
        ),
        ("acme.yaml", VALID.replace(b"amount", b"city"), "acme.yaml: amount: every record needs it"),
        ("acme.yml", VALID, "acme.yml: $: the name of a mapping ends in .yaml"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_named(name: str, content: bytes, message: str) -> None:
    with pytest.raises(MappingError) as error:
        parse_mappings({f"{FOLDER}/{name}": content, f"{FOLDER}/good.yaml": VALID}, FOLDER, LANDING)

    assert str(error.value).startswith(message)


def test_a_folder_without_a_mapping_is_an_error() -> None:
    with pytest.raises(MappingError, match=f"{FOLDER}: .*no mapping"):
        parse_mappings({}, FOLDER, LANDING)


@pytest.mark.parametrize("landing", ["s3://landing/day=*/", "s3://landing/{a,b}/", "s3://landing/i[n]/"])
def test_a_landing_path_that_is_a_pattern_takes_no_mappings(landing: str) -> None:
    with pytest.raises(MappingError, match="is a pattern"):
        mappings("acme.yaml", landing=landing)
