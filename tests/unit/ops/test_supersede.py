"""The newest plan of an environment wins in CI."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from ops import commands
from ops.environment import Environment
from ops.errors import OpsError
from ops.supersede import GitHub, supersede

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = {
    "GITHUB_API_URL": "https://api.example",
    "GITHUB_REPOSITORY": "owner/name",
    "GITHUB_RUN_ID": "50",
    "GITHUB_TOKEN": "token",
}
BASE = "https://api.example/repos/owner/name/actions"


class Api:
    """Stands in for GitHub: what each run waits for, and which of its jobs succeeded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cancelled: list[str] = []
        self.waits_for: dict[int, list[str]] = {}
        self.planned: dict[int, list[str]] = {}
        self.failure: OSError | None = None
        monkeypatch.setattr(urllib.request, "urlopen", self._answer)

    def _answer(self, request: urllib.request.Request, timeout: float) -> io.BytesIO:
        assert timeout > 0
        assert request.get_header("Authorization") == "Bearer token"
        if self.failure is not None:
            raise self.failure
        path = request.full_url.removeprefix(BASE + "/")
        if request.get_method() == "POST":
            self.cancelled.append(path)
            return io.BytesIO(b"{}")
        return io.BytesIO(json.dumps(self._content(path)).encode())

    def _content(self, path: str) -> Any:
        runs = [{"id": number * 10, "run_number": number} for number in (3, 4, 5, 6, 7)]
        match path.split("?")[0].split("/"):
            case ["runs", "50"]:
                return {"workflow_id": 9, "run_number": 5, "head_branch": "main"}
            case ["workflows", "9", "runs"]:
                assert "branch=main" in path
                waiting = [run for run in runs if run["id"] in self.waits_for]
                return {"workflow_runs": waiting if "status=waiting" in path else runs}
            case ["runs", run, "pending_deployments"]:
                return [{"environment": {"name": name}} for name in self.waits_for[int(run)]]
            case ["runs", run, "jobs"]:
                done = [{"name": name, "conclusion": "success"} for name in self.planned.get(int(run), [])]
                return {"jobs": [*done, {"name": "prod / Plan", "conclusion": "failure"}]}
        raise AssertionError(path)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    return Api(monkeypatch)


def test_an_older_run_that_waits_for_this_environment_is_cancelled(api: Api) -> None:
    api.waits_for = {30: ["prod"], 40: ["staging"], 60: ["prod"]}

    assert supersede(GitHub(VARIABLES), "prod") == [3]
    assert api.cancelled == ["runs/30/cancel"]


def test_an_approved_run_is_not_cancelled(api: Api) -> None:
    assert supersede(GitHub(VARIABLES), "prod") == []
    assert api.cancelled == []


def test_a_run_that_is_older_than_a_plan_stops_itself(api: Api) -> None:
    api.planned = {60: ["prod / Plan"]}
    api.waits_for = {30: ["prod"]}

    with pytest.raises(
        OpsError, match=r"^Run 6 has planned prod from a newer commit; approve that run, or run it again\.$"
    ):
        supersede(GitHub(VARIABLES), "prod")
    assert api.cancelled == []


def test_a_newer_run_that_has_planned_only_another_environment_stops_nobody(api: Api) -> None:
    api.planned = {60: ["dev / Plan"], 70: ["dev / Plan"]}

    assert supersede(GitHub(VARIABLES), "prod") == []


def test_an_older_plan_stops_nobody(api: Api) -> None:
    api.planned = {40: ["prod / Plan"]}

    assert supersede(GitHub(VARIABLES), "prod") == []


def test_outside_of_a_workflow_it_says_so() -> None:
    with pytest.raises(
        OpsError, match=r"^GITHUB_TOKEN is not set; only a job of GitHub's workflows runs this\.$"
    ):
        GitHub(VARIABLES | {"GITHUB_TOKEN": ""})


def test_an_answer_of_github_that_is_an_error_is_one_sentence(api: Api) -> None:
    api.failure = urllib.error.URLError("no route")

    with pytest.raises(OpsError, match=r"^GitHub refuses GET runs/50: .*no route.*; run the job again\.$"):
        supersede(GitHub(VARIABLES), "prod")


def test_the_command_names_the_runs_that_it_cancelled(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    api.waits_for = {40: ["prod"]}
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)

    assert commands.supersede_older(Environment("prod", tmp_path, "123456789012", "us-east-1", "b")) == 0
    assert capsys.readouterr().out == (
        "Run 4 was waiting for the approval of prod; cancelled, this plan is newer.\n"
    )
