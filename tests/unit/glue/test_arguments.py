"""The job's arguments, among Glue's own."""

from __future__ import annotations

import pytest

from glue_scripts.arguments import LabelArguments, parse_arguments

REQUIRED = {
    "--landing_path": "s3://landing/in/",
    "--quarantine_path": "s3://quarantine/",
    "--checkpoint_path": "s3://state/checkpoint/",
    "--kafka_bootstrap_servers": "b-1:9098",
    "--tokenization_key": "kms:card-key",
}


def argv(**changes: str) -> list[str]:
    given = REQUIRED | {f"--{name}": value for name, value in changes.items()}
    return [part for pair in given.items() for part in pair]


def test_glues_own_arguments_are_ignored() -> None:
    glues = [
        "--JOB_NAME",
        "j",
        "--TempDir",
        "s3://t/",
        "--enable-metrics",
        "--land",
        "x",
        "--job-bookmark-option",
        "y",
    ]

    arguments = parse_arguments([*glues, *argv()])

    assert arguments.landing_path == "s3://landing/in/"
    assert arguments.topic == "transaction_stream"
    assert arguments.kafka_options == {}


def test_kafka_options_are_an_object_of_strings() -> None:
    arguments = parse_arguments(argv(kafka_options='{"kafka.security.protocol": "SASL_SSL"}'))

    assert arguments.kafka_options == {"kafka.security.protocol": "SASL_SSL"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_options", "{"),
        ("kafka_options", '{"kafka.linger.ms": 5}'),
        ("tokenization_key", "a key itself"),
        ("tokenization_key", "kms:"),
        ("tokenization_key", "secret:card-key"),
        ("max_files_per_trigger", "0"),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(argv(**{name: value}))

    assert f"argument --{name}: " in capsys.readouterr().err


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_argument_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rest = [part for pair in REQUIRED.items() if pair[0] != name for part in pair]

    with pytest.raises(SystemExit):
        parse_arguments(rest)

    assert name in capsys.readouterr().err


LABELS = {
    "labels_path": "s3://landing/labels/",
    "labels_quarantine_path": "s3://quarantine/label_files/",
    "labels_checkpoint_path": "s3://state/labels/",
    "labels_queue_url": "https://sqs/labels",
}


def test_files_of_labels_have_paths_a_queue_and_an_interval_of_their_own() -> None:
    arguments = parse_arguments(argv(**LABELS))

    assert arguments.labels == LabelArguments(
        landing_path="s3://landing/labels/",
        quarantine_path="s3://quarantine/label_files/",
        checkpoint_path="s3://state/labels/",
        queue_url="https://sqs/labels",
        mappings_path=None,
        trigger_interval="60 seconds",
    )


def test_the_mappings_of_labels_are_none_of_payments() -> None:
    arguments = parse_arguments(argv(**LABELS, label_mappings_path="s3://m/"))

    assert arguments.mappings_path is None
    assert arguments.labels is not None
    assert arguments.labels.mappings_path == "s3://m/"


def test_without_them_no_labels_are_read() -> None:
    assert parse_arguments(argv()).labels is None


@pytest.mark.parametrize("name", LABELS)
def test_one_of_them_without_the_others_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(argv(**{other: value for other, value in LABELS.items() if other != name}))

    assert f"argument --{name}: missing" in capsys.readouterr().err
