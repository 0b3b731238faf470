"""The function gives the job's token of a card number, and neither its log nor its errors hold a digit of it."""

from __future__ import annotations

import importlib
import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from hypothesis import given
from moto import mock_aws

from card_token.errors import NoCardNumberError, RequestError
from card_token.stage import TokenMaker
from contract.card_tokens import KEY_DERIVATION_MESSAGE, CardTokens
from glue_scripts.rows import RowCleaner
from glue_scripts.stream_transactions import read_key
from local import card_token as local_card_token
from local.ingestion import LOCAL_TOKENIZATION_KEY
from ops.manifests import read_functions
from tests.support.cards import TEST_NUMBERS, scientific_numbers, written_numbers
from tests.support.landed_rows import published, row
from tests.support.payments import Context

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

VISA = "4111111111111111"
MAC = bytes(range(32))


class Kms:
    """Gives one MAC, and counts."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes, str]] = []

    def generate_mac(self, *, KeyId: str, Message: bytes, MacAlgorithm: str) -> Mapping[str, Any]:  # noqa: N803
        self.calls.append((KeyId, Message, MacAlgorithm))
        return {"Mac": MAC}


@pytest.mark.parametrize("written", [VISA, "4111 1111-1111/1111", "4.111111111111111E15"])
def test_the_answer_is_the_token_that_the_job_makes_of_the_same_key(written: str) -> None:
    job = RowCleaner(CardTokens(MAC))

    answer = TokenMaker(Kms(), "arn").answer({"card_number": written})

    assert answer["token"] == published(job.clean_json(json.dumps(row(card_id=written)).encode()))["card_id"]


def test_the_key_is_derived_once_as_the_job_derives_it() -> None:
    kms = Kms()
    maker = TokenMaker(kms, "arn:key")

    for number in TEST_NUMBERS.values():
        maker.answer({"card_number": number})

    assert kms.calls == [("arn:key", KEY_DERIVATION_MESSAGE, "HMAC_SHA_256")]


@given(written_numbers() | scientific_numbers())
def test_a_number_in_any_spelling_has_the_token_of_its_digits(case: tuple[str, str]) -> None:
    answer = TokenMaker(Kms(), "arn").answer({"card_number": case[1]})

    assert answer == {"token": CardTokens(MAC).token(case[0])}


@pytest.mark.parametrize(
    "request_", [None, [], "4111111111111111", {}, {"card_number": 4111111111111111}, {"n": VISA}]
)
def test_another_request_is_refused_without_a_digit_of_it(request_: object) -> None:
    with pytest.raises(RequestError) as caught:
        TokenMaker(Kms(), "arn").answer(request_)

    assert "4111" not in str(caught.value)


@pytest.mark.parametrize("text", ["4111111111111112", "card", ""])
def test_text_that_is_no_card_number_is_refused_without_a_digit_of_it(text: str) -> None:
    with pytest.raises(NoCardNumberError) as caught:
        TokenMaker(Kms(), "arn").answer({"card_number": text})

    assert "4111" not in str(caught.value)


def load_handler(monkeypatch: pytest.MonkeyPatch, key_arn: str) -> ModuleType:
    monkeypatch.setenv("TOKENIZATION_KEY_ARN", key_arn)
    for variable, value in read_functions()["card_token"].environment.items():
        if isinstance(value, str):
            monkeypatch.setenv(variable, value)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delitem(sys.modules, "card_token.handler", raising=False)
    monkeypatch.delitem(logging.Logger.manager.loggerDict, "card_token", raising=False)
    return importlib.import_module("card_token.handler")


def test_no_line_of_the_log_holds_the_number_or_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock_aws():
        kms = boto3.client("kms", region_name="eu-central-1")
        arn = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
        module = load_handler(monkeypatch, arn)

        answer = module.handler({"card_number": "4111 1111 1111 1111"}, Context())
        with pytest.raises(NoCardNumberError):
            module.handler({"card_number": "4111 1111 1111 1112"}, Context())

        assert answer == {"token": CardTokens(read_key(f"kms:{arn}")).token(VISA)}
    logged = "".join(capsys.readouterr())
    assert "made the token of a card number" in logged
    assert "4111" not in logged
    assert "1111" not in logged
    assert "tok_" not in logged


def test_a_request_that_fails_is_not_kept() -> None:
    trigger = read_functions()["card_token"].trigger

    assert trigger == msgspec.structs.replace(trigger, on_failure="discard")


class Terminal(io.StringIO):
    """Standard input of a person."""

    def isatty(self) -> bool:
        return True


def test_on_one_machine_the_number_is_asked_for_and_only_the_token_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(local_card_token, "getpass", lambda prompt: "4111 1111 1111 1111")

    code = local_card_token.main()

    assert code == 0
    assert capsys.readouterr().out == f"{CardTokens(LOCAL_TOKENIZATION_KEY.encode()).token(VISA)}\n"


def test_on_one_machine_each_line_of_a_file_has_its_token_and_a_bad_one_is_named_by_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{VISA}\n\n4111111111111112\n378282246310005\n"))

    code = local_card_token.main()

    printed = capsys.readouterr()
    tokens = CardTokens(LOCAL_TOKENIZATION_KEY.encode())
    assert code == 1
    assert printed.out == f"{tokens.token(VISA)}\n{tokens.token('378282246310005')}\n"
    assert printed.err.startswith("line 2: no card number")
    assert "4111" not in printed.err


def test_without_a_number_the_command_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))

    assert local_card_token.main() == 1
    assert capsys.readouterr().err == "no card number was given\n"
