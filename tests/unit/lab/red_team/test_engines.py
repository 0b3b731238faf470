from __future__ import annotations

import io
import json
import subprocess
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from lab.red_team.__main__ import main
from lab.red_team.engines import EngineError, OwnEngine, PipedEngine, Ruling, checked_out, served
from tests.support.backtest_samples import ENDS_AT, RULES, ruleset, sent

if TYPE_CHECKING:
    from pathlib import Path

    from contract.truth import SentPayment

OLD_MODULES = {
    "contract/__init__.py": "",
    "contract/errors.py": "class InvalidTransactionError(Exception): pass",
    "contract/scored.py": "Position = lambda *parts: parts",
    "contract/transaction.py": """
import json
from types import SimpleNamespace
from contract.errors import InvalidTransactionError
def decode_transaction(data, now):
    record = json.loads(data)
    if "amount" not in record:
        raise InvalidTransactionError
    key = record["timestamp"]
    return SimpleNamespace(user_id=record["user_id"], event_key=key, amount=float(record["amount"]), now=now)
""",
    "score/__init__.py": "",
    "score/profile/__init__.py": """
class Profile:
    def __init__(self): self.folded = 0
    def fold(self, facts, position): self.folded += 1
""",
    "score/profile/profile.py": """
from types import SimpleNamespace
PaymentFacts = SimpleNamespace(of=lambda transaction: transaction)
""",
    "score/features.py": "compute_features = lambda facts, profile, exchange: profile.folded",
    "score/decision.py": """
from types import SimpleNamespace
def is_fraudulent(features, transaction, ruleset):
    rules = [SimpleNamespace(rule_id=f"{ruleset.text} after {features} at {transaction.now:%H:%M}")]
    return SimpleNamespace(decision="block" if transaction.amount > 100 else "approve", reasons=rules)
""",
    "score/ruleset.py": """
from types import SimpleNamespace
def parse_ruleset(text, place): return SimpleNamespace(text=text, exchange=None)
""",
}
"""As much of the modules of 2408628 as its server uses."""


def old_tree(folder: Path) -> Path:
    for name, text in OLD_MODULES.items():
        file = folder / "functions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "rules").mkdir()
    (folder / "rules/default.yaml").write_text("old rules")
    return folder


def arrived(payment: SentPayment, minutes: int = 0) -> SentPayment:
    return msgspec.structs.replace(payment, appended_at=ENDS_AT + timedelta(minutes=minutes))


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = old_tree(tmp_path)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--no-verify", "-m", "old")
    monkeypatch.chdir(folder)
    return folder


def test_the_own_engine_decides_as_the_rules_say() -> None:
    engine = OwnEngine(ruleset(RULES))

    rulings = [engine.decide(arrived(sent(1, "5"), 1)), engine.decide(arrived(sent(2, "500"), 2))]

    assert rulings == [Ruling("approve"), Ruling("review", ("large",))]


def test_the_own_engine_decides_nothing_about_what_is_invalid_or_repeats() -> None:
    engine = OwnEngine(ruleset(RULES))
    payment = arrived(sent(1, "5"), 1)
    engine.decide(payment)

    assert engine.decide(payment) == Ruling(None)
    assert engine.decide(arrived(sent(2, "nan"), 2)) == Ruling(None)


def test_an_engine_of_another_tree_answers_each_payment_from_its_own_process(tmp_path: Path) -> None:
    tree = old_tree(tmp_path)

    with served(tree, tree / "rules/default.yaml", "old") as engine:
        rulings = [
            engine.decide(arrived(sent(1, "5"), 1)),
            engine.decide(arrived(sent(2, "500"), 2)),
            engine.decide(arrived(sent(3, "7", user_id="v"), 3)),
        ]

    assert rulings == [
        Ruling("approve", ("old rules after 0 at 18:31",)),
        Ruling("block", ("old rules after 1 at 18:32",)),
        Ruling("approve", ("old rules after 0 at 18:33",)),
    ]


def test_an_engine_of_another_tree_decides_nothing_about_invalid_records_and_rows_that_exist(
    tmp_path: Path,
) -> None:
    tree = old_tree(tmp_path)
    payment = arrived(sent(1, "5"), 1)
    without_amount = msgspec.structs.replace(payment, record={"user_id": "u", "timestamp": "t"})

    with served(tree, tree / "rules/default.yaml", "old") as engine:
        rulings = [engine.decide(each) for each in (without_amount, payment, payment)]

    assert [ruling.decision for ruling in rulings] == [None, "approve", None]


def test_an_engine_whose_process_has_ended_is_named() -> None:
    engine = PipedEngine(io.BytesIO(), io.BytesIO(), "2408628")

    with pytest.raises(EngineError, match="engine 2408628: its process has ended"):
        engine.decide(arrived(sent(1, "5")))


def test_a_commit_is_checked_out_and_removed_afterwards(repository: Path) -> None:
    with checked_out(git(repository, "rev-parse", "HEAD")) as tree:
        assert (tree / "rules/default.yaml").read_text() == "old rules"

    assert not tree.exists()


@pytest.mark.parametrize("commit", ["0000000", "--output=x"])
def test_what_is_no_commit_is_named(repository: Path, commit: str) -> None:
    with pytest.raises(EngineError, match=f"engine {commit}: "), checked_out(commit):
        pass

    assert not (repository / "x").exists()


def test_a_commit_of_another_layout_is_refused(repository: Path) -> None:
    git(repository, "rm", "--quiet", "functions/score/decision.py")
    git(repository, "commit", "--quiet", "--no-verify", "-m", "moved")

    with pytest.raises(EngineError, match="layout"), checked_out("HEAD"):
        pass


def test_the_command_plays_against_a_commit_and_writes_its_figures(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--thieves", "1", "--people", "1", "--tries", "2", "--tuned", "1", "--unseen", "2"]

    main([*small, "--engine", "HEAD", "--out", str(repository / "new/figures.json")])

    figures = json.loads((repository / "new/figures.json").read_bytes())
    assert figures["groups"].keys() == {"tuned", "unseen"}
    assert figures["groups"]["unseen"]["seeds"] == [2]
    assert "engine HEAD" in capsys.readouterr().out.splitlines()[-1]


def test_the_command_plays_against_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    small = ["--thieves", "1", "--people", "1", "--tries", "2", "--tuned", "1", "--unseen", ""]

    main([*small, "--rules", str(rules), "--out", str(tmp_path / "figures.json")])

    assert "tuned" in json.loads((tmp_path / "figures.json").read_bytes())["groups"]
    assert "unseen seeds" not in capsys.readouterr().out


def test_the_command_names_a_ruleset_that_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere\.yaml"):
        main(["--rules", str(tmp_path / "nowhere.yaml")])
