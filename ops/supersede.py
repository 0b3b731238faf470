"""Let the newest plan of an environment win in CI: cancel older runs that wait for its approval, stop a run that is itself older.

A job that waits for an approval already occupies its concurrency group (https://github.com/orgs/community/discussions/17401), so a newer
apply would be pending behind it until somebody decides. GitHub's documents describe no group that cancels a waiting job and spares a
running one. So the waiting runs are cancelled by name, with GitHub's REST API: `actions: read` lists runs, jobs and pending
deployments, `actions: write` cancels a run ("Permissions required for GitHub Apps").
"""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

import msgspec

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN_JOB = "Plan"
"""The plan job's name in `.github/workflows/environment.yml`; GitHub shows it as ``prod / Plan``."""


class GitHub:
    """The part of GitHub's REST API that is about one repository's runs.

    Parameters
    ----------
    variables : mapping
        The variables that GitHub sets in a job, and GITHUB_TOKEN.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        missing = [
            name
            for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_TOKEN")
            if not variables.get(name)
        ]
        if missing:
            raise OpsError(f"{missing[0]} is not set; only a job of GitHub's workflows runs this.")
        self.run_id = int(variables["GITHUB_RUN_ID"])
        self._base = f"{variables['GITHUB_API_URL']}/repos/{variables['GITHUB_REPOSITORY']}/actions"
        self._token = variables["GITHUB_TOKEN"]

    def get(self, path: str) -> Any:
        """Read a resource below ``/repos/<repository>/actions/``."""
        return msgspec.json.decode(self._send("GET", path))

    def cancel(self, run_id: int) -> None:
        """Cancel a run."""
        self._send("POST", f"runs/{run_id}/cancel")

    def _send(self, method: str, path: str) -> bytes:
        request = urllib.request.Request(  # noqa: S310 # GitHub's own URL, set by its runner
            f"{self._base}/{path}",
            method=method,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 # as above
                content: bytes = answer.read()
        except OSError as error:  # URLError and HTTPError are OSErrors
            raise OpsError(f"GitHub refuses {method} {path}: {error}; run the job again.") from error
        return content


def supersede(github: GitHub, environment: str) -> list[int]:
    """Cancel the older runs that wait for the environment's approval.

    Parameters
    ----------
    github : GitHub
        The repository of this run.
    environment : str
        What this run has just planned.

    Returns
    -------
    list of int
        Numbers of the cancelled runs.

    Raises
    ------
    OpsError
        If a newer run has planned the environment already: applying this run's plan would take the newer commit back.
    """
    own = github.get(f"runs/{github.run_id}")
    runs = f"workflows/{own['workflow_id']}/runs?branch={own['head_branch']}&per_page=100"
    for run in github.get(runs)["workflow_runs"]:
        if run["run_number"] > own["run_number"] and _has_planned(github, run["id"], environment):
            raise OpsError(
                f"Run {run['run_number']} has planned {environment} from a newer commit; approve that run, or run it again."
            )
    cancelled = []
    for run in github.get(f"{runs}&status=waiting")["workflow_runs"]:
        if run["run_number"] < own["run_number"] and _waits_for(github, run["id"], environment):
            github.cancel(run["id"])
            cancelled.append(run["run_number"])
    return cancelled


def _has_planned(github: GitHub, run_id: int, environment: str) -> bool:
    jobs = github.get(f"runs/{run_id}/jobs?per_page=100")["jobs"]
    return any(
        job["name"] == f"{environment} / {PLAN_JOB}" and job["conclusion"] == "success" for job in jobs
    )


def _waits_for(github: GitHub, run_id: int, environment: str) -> bool:
    pending = github.get(f"runs/{run_id}/pending_deployments")
    return any(deployment["environment"]["name"] == environment for deployment in pending)
