"""Which mapping a landed file has, and which mappings the job refuses to start with."""

from __future__ import annotations

import pickle

import pytest

from contract.errors import MappingError
from contract.mapping.kinds import LABELS
from glue_scripts.prefix_mappings import NO_MAPPINGS, PrefixMappings, parse_mappings

VALID = b"transaction_id: nr\nuser_id: who\namount: cents\ntimestamp: when\n"
FOLDER = "s3://work/mappings/0a1b"
LANDING = "s3://landing/in/"
VISA = "4111111111111111"


def mappings(*names: str, landing: str = LANDING, content: bytes = VALID) -> PrefixMappings:
    return parse_mappings({f"{FOLDER}/{name}": content for name in names}, FOLDER, landing)


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


@pytest.mark.parametrize(
    "landing",
    ["file:///data/in", "file:/data/in/", "/data/in", "file:///data//in", "/data/./in//", "/data/x/../in/."],
)
def test_a_file_is_found_below_its_landing_path_however_the_url_is_written(landing: str) -> None:
    found = mappings("acme.yaml", landing=landing)

    assert found.prefix_of("file:/data/in/acme/a.csv") == "acme"
    assert found.prefix_of("file:///data/in/acme/a.csv") == "acme"


@pytest.mark.parametrize(
    "file",
    [
        "s3://landing/in/../acme/a.csv",
        "s3://landing/index/acme/a.csv",
        "s3://other/in/acme/a.csv",
        "s3://landing/in",
    ],
)
def test_a_file_that_is_not_below_the_landing_path_is_an_error(file: str) -> None:
    with pytest.raises(ValueError, match="is not below s3://landing/in/"):
        mappings("acme.yaml").prefix_of(file)


def test_without_mappings_no_file_has_one() -> None:
    assert NO_MAPPINGS.prefix_of("s3://landing/in/acme/a.csv") is None


@pytest.mark.parametrize(
    ("file", "is_canary"),
    [
        ("s3://landing/in/canary/a.json", True),
        ("s3://landing/in/canary/2026/a.json", True),
        ("s3://landing/in/acme/canary/a.json", False),
        ("s3://landing/in/canary.json", False),
        ("s3://landing/in/canary-1/a.json", False),
        ("s3://landing/in/Canary/a.json", False),
        ("s3://landing/in/acme/../canary/a.json", True),
        ("s3://landing/canary/a.json", False),
    ],
)
def test_the_canary_s_files_are_those_of_its_folder_directly_below_the_landing_path(
    file: str, *, is_canary: bool
) -> None:
    assert PrefixMappings("s3://landing/in/").is_canary(file) is is_canary
    assert mappings("acme.yaml").is_canary(file) is is_canary


def test_no_file_is_the_canary_s_where_the_landing_path_is_unknown() -> None:
    assert not NO_MAPPINGS.is_canary("s3://landing/in/canary/a.json")


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
        ("canary.yaml", VALID, "canary.yaml: $: the folder canary is the canary's"),
        ("canary/a.yaml", VALID, "canary/a.yaml: $: the folder canary is the canary's"),
        ("acme.yml", VALID, "acme.yml: $: the name of a mapping ends in .yaml"),
        (f"a/{VISA}.yaml", VALID, f"a/{'#' * 16}.yaml: $: the name of a mapping holds a card number"),
        (f"{VISA}.yml", VALID, f"{'#' * 16}.yml: $: the name of a mapping holds a card number"),
        (
            "acme.yaml",
            VALID + f"payer: {VISA}\n'{VISA}': who".encode(),
            "acme.yaml: payer: not a field",
        ),
        (
            "acme.yaml",
            VALID + f"'{VISA}': who".encode(),
            "acme.yaml: $: cannot be used, and holds a card number",
        ),
        (
            "acme.yaml",
            VALID + b"card_id: {value: 4.111111111111111e+15}",
            "acme.yaml: $: cannot be used, and holds a card number",
        ),
        *(
            ("acme.yaml", VALID + line.encode(), f"acme.yaml: {key}: its {option} holds a card number")
            for key, option, line in (
                ("card_id", "value", f"card_id: {{value: '{VISA}'}}"),
                ("card_id", "value", f"card_id: {{value: {VISA}}}"),
                ("card_id", "value", "card_id: {value: '4.111111111111111e+15'}"),
                ("card_id", "value", "card_id: {value: '4111 1111 1111 1111'}"),
                ("card_id", "value", r'card_id: {value: "\u00341111\u00a011111111111"}'),
                ("city", "values", f"city: {{column: x, values: {{a: 'card {VISA}'}}}}"),
                ("city", "values", f"city: {{column: x, values: {{'{VISA}': a}}}}"),
                ("city", "column", f"city: no {VISA}"),
                ("label", "fraud_values", f"label: {{column: x, fraud_values: ['0', '{VISA}']}}"),
                ("scenario", "column", f"label: x\nscenario: '{VISA}'"),
                ("appended_at", "column", f"appended_at: '{VISA}'"),
            )
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_is_named(name: str, content: bytes, message: str) -> None:
    with pytest.raises(MappingError) as error:
        parse_mappings({f"{FOLDER}/{name}": content, f"{FOLDER}/good.yaml": VALID}, FOLDER, LANDING)

    assert str(error.value).startswith(message)
    assert VISA not in str(error.value)


def test_a_folder_without_a_mapping_is_an_error() -> None:
    with pytest.raises(MappingError, match=f"{FOLDER}: .*no mapping"):
        parse_mappings({}, FOLDER, LANDING)


@pytest.mark.parametrize(
    "landing", ["s3://landing/day=*/", "s3://landing/{a,b}/", "s3://landing/i[n]/", "/in\\"]
)
def test_a_landing_path_that_is_a_pattern_takes_no_mappings(landing: str) -> None:
    with pytest.raises(MappingError, match="is a pattern"):
        mappings("acme.yaml", landing=landing)


@pytest.mark.parametrize("landing", ["landing/in", "./in", "../in"])
def test_a_relative_landing_path_takes_no_mappings(landing: str) -> None:
    with pytest.raises(MappingError, match=f"the landing path {landing} is relative"):
        mappings("acme.yaml", landing=landing)


def test_every_folder_is_below_the_root() -> None:
    assert mappings("acme.yaml", landing="file:///").prefix_of("file:/acme/a.csv") == "acme"


@pytest.mark.parametrize(
    "other",
    [
        NO_MAPPINGS,
        mappings("acme.yaml", content=VALID.replace(b"when", b"{column: when, timezone: Europe/Paris}")),
        mappings("acme.yaml", content=VALID.replace(b"who", b"holder")),
        mappings("acme.yaml", content=VALID + b"currency: {value: EUR}"),
        mappings("acme.yaml", content=VALID + b"\ndecimal: ','"),
        mappings("acme.yaml", content=VALID + b"\nencoding: windows-1252"),
        mappings("bank.yaml"),
        mappings("acme.yaml", "acme/cards.yaml"),
        mappings("acme.yaml", landing="s3://landing/"),
    ],
)
def test_a_change_of_what_is_read_changes_the_digest(other: PrefixMappings) -> None:
    assert mappings("acme.yaml").digest != other.digest


def test_a_change_that_changes_no_record_keeps_the_digest() -> None:
    same = b"# a comment\nlabel: fraud\ntimestamp: {column: when}\namount: cents\nuser_id: who\ntransaction_id: nr"

    assert mappings("acme.yaml").digest == mappings("acme.yaml", content=same).digest
    assert mappings("acme.yaml").digest == mappings("acme.yaml", landing="s3a://landing//in").digest
    assert (
        mappings("acme.yaml").digest == "ac138d45b4e75b20"
    )  # of an older version: an upgrade must not stop a batch
    assert NO_MAPPINGS.digest == PrefixMappings("s3://landing/in/").digest


OF_LABELS = b"""transaction_id: TXN
verdict: {value: fraud}
source: {value: chargeback}
known_at: DATE
"""


def test_a_mapping_of_labels_has_the_fields_of_a_label() -> None:
    mappings = parse_mappings({f"{FOLDER}/acme.yaml": OF_LABELS}, FOLDER, LANDING, LABELS)

    assert sorted(mappings.by_prefix["acme"].fields) == ["known_at", "source", "transaction_id", "verdict"]


@pytest.mark.parametrize("field", ["transaction_id", "verdict", "source", "known_at"])
def test_a_mapping_of_labels_without_a_needed_field_is_refused(field: str) -> None:
    content = b"".join(line for line in OF_LABELS.splitlines(True) if not line.startswith(field.encode()))

    with pytest.raises(MappingError) as error:
        parse_mappings({f"{FOLDER}/acme.yaml": content}, FOLDER, LANDING, LABELS)

    assert (error.value.field, error.value.source) == (field, "acme.yaml")


def test_a_mapping_of_payments_is_none_of_labels() -> None:
    with pytest.raises(MappingError, match=r"acme\.yaml: amount: not a field"):
        parse_mappings({f"{FOLDER}/acme.yaml": VALID}, FOLDER, LANDING, LABELS)
