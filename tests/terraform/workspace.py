"""A copy of the repository for one environment: its own state, its own stages, and the unchanged make targets."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import urllib.request
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import boto3
import msgspec

from tests.terraform.mocked import LESS_GARBAGE_COLLECTION

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"
"""The emulator's account, and the placeholder in the environments' files."""

REGION = "us-east-1"

ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator"}
"""Credentials that the emulator did not make: it lets them do everything."""


SUBSCRIBERS = """
alert_subscriptions      = { fraud-team = { protocol = "email", endpoint = "fraud@example.com" } }
operations_subscriptions = { page = { on-call = { protocol = "email", endpoint = "on-call@example.com" } } }
"""
"""Whom to alert and to page. prod is not planned without them, and its file names nobody: its owner does."""

TRAINERS = f"""
training = {{ trainer_arns = ["arn:aws:iam::{ACCOUNT}:role/data-scientists"] }}
"""
"""Who may train models: off in the files of the environments, and on in a life."""

CONSOLE = """
console = { endpoint_type = "PRIVATE", allowed_cidrs = ["10.50.0.0/16"] }
"""
"""Who may reach a console: off in the files of the environments, and on in a life,"""

API_GATEWAY_LOGS = """
enable_api_gateway_logs = true
"""
"""and with it the role that writes its access log."""


class Result(msgspec.Struct, frozen=True):
    """Exit code and output of a make target."""

    code: int
    output: str


class Authorization(msgspec.Struct, frozen=True):
    """What IAM decided about one request of a role."""

    role: str
    action: str
    resource: str
    context: dict[str, str | list[str]]
    is_allowed: bool
    reason: str


class Right(msgspec.Struct, frozen=True):
    """One action on one resource that a policy allows."""

    action: str
    resource: str

    def is_within(self, bound: Right) -> bool:
        """Whether `bound` allows it. For the resource ``*`` it is enough that some resource is allowed."""
        reaches = self.resource == "*" or fnmatchcase(self.resource, bound.resource)
        return reaches and fnmatchcase(self.action, bound.action)


class Workspace:
    """The repository's infrastructure in its own folder, on one emulator.

    Parameters
    ----------
    repository : Path
        The repository to copy.
    folder : Path
        An empty folder for the copy.
    endpoint : str
        URL of the emulator.
    """

    def __init__(self, repository: Path, folder: Path, endpoint: str) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self._environment = (
            os.environ
            | {
                "AWS_ENDPOINT_URL": endpoint,  # an IP address: with a host name, S3's clients would put the bucket into it
                **ADMINISTRATOR,
                "AWS_EC2_METADATA_DISABLED": "true",
                # The provider waits half a minute for each queue, and longer for others. With its ten at a time they would queue up.
                "TF_CLI_ARGS_apply": "-parallelism=40",
                "TF_CLI_ARGS_destroy": "-parallelism=40",
                "PYTHONPATH": f"{folder / 'functions'}:{folder}",
            }
            | LESS_GARBAGE_COLLECTION
        )
        ignored = shutil.ignore_patterns(".terraform", "__pycache__", "*.tfstate*", "*.tfplan")
        for name in ("terraform", "functions", "glue_scripts", "lab", "rules", "models", "ops"):
            shutil.copytree(repository / name, folder / name, ignore=ignored)
        with (folder / "terraform/environments/prod/prod.tfvars").open("a") as prod:
            prod.write(SUBSCRIBERS)
        for variables in (folder / "terraform/environments").glob("*/*.tfvars"):
            if variables.stem == variables.parent.name:
                with variables.open("a") as environment:
                    environment.write(TRAINERS + CONSOLE)
        for variables in (folder / "terraform/environments").glob("*/bootstrap.tfvars"):
            with variables.open("a") as bootstrap:
                bootstrap.write(API_GATEWAY_LOGS)
        # What is installed is shared with the repository; stages are built from this folder's sources.
        (folder / "build").mkdir()
        for name in ("requirements", "npm"):
            (repository / "build" / name).mkdir(parents=True, exist_ok=True)
            (folder / "build" / name).symlink_to(repository / "build" / name)
        self._venv = repository / ".venv"

    def act_as(self, role: str | None, claims: dict[str, str] | None = None) -> None:
        """Run the next targets as a role of CI, with a token that has these claims; as the administrator if `role` is None.

        Raises
        ------
        botocore.exceptions.ClientError
            If the role does not trust the token.
        """
        self._environment |= ADMINISTRATOR
        self._environment.pop("AWS_SESSION_TOKEN", None)
        self._environment["TF_CLI_ARGS_plan"] = (
            "-lock=false" if (role or "").endswith("-plan") else ""
        )  # as the workflows
        if role is None:
            return
        self._environment |= self.session(role, claims or {})

    def session(self, role: str, claims: dict[str, str]) -> dict[str, str]:
        """Assume a role with a token that has these claims; give the environment variables of its credentials."""
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        made = self.client("sts").assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            RoleSessionName="life",
            WebIdentityToken=f"e30.{payload}.unsigned",
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
            "AWS_SESSION_TOKEN": made["SessionToken"],
        }

    def authorizations(self) -> list[Authorization]:
        """What IAM decided about the calls of roles, each once."""
        with urllib.request.urlopen(f"{self.endpoint}/moto-api/authorizations") as answer:
            return msgspec.json.decode(answer.read(), type=list[Authorization])

    def make(self, target: str, answer: str = "", **variables: str) -> Result:
        """Run a make target as an operator does.

        Parameters
        ----------
        target : str
            Of ops/infra.mk.
        answer : str
            What is typed if it asks.
        **variables : str
            Make's variables, as ``ENV="dev"``.
        """
        command = [
            "make",
            "--no-print-directory",
            "-f",
            "ops/infra.mk",
            target,
            f"VENV={self._venv}",
        ]
        command += [
            f"PY={self._venv / 'bin/python'}",
            *(f"{name}={value}" for name, value in variables.items()),
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            input=answer + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout)

    def expect(self, target: str, answer: str = "", **variables: str) -> Result:
        """Run a make target that must succeed; AssertionError with its output if it does not."""
        result = self.make(target, answer, **variables)
        assert result.code == 0, f"make {target} ended with {result.code}:\n{result.output[-8000:]}"
        return result

    def add_stage(self, name: str, like: str) -> None:
        """Add the folder of a stage with the trigger, the access and the packages of another one; change nothing else."""
        other, folder = self.folder / "functions" / like, self.folder / "functions" / name
        folder.mkdir()
        for file in ("requirements.in", "requirements.txt"):
            shutil.copy(other / file, folder / file)
        spec = (other / "function.yaml").read_text().replace(f"_NAME: {like}", f"_NAME: {name}")
        (folder / "function.yaml").write_text(spec)

    def client(self, service: str, session: dict[str, str] | None = None) -> Any:
        """Make a client of the emulator, for changes outside Terraform: the administrator's, or that of a role's session."""
        credentials = session or ADMINISTRATOR
        return boto3.client(
            service,  # type: ignore[call-overload] # any service
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
        )

    def existing(self) -> set[str]:
        """Names of all resources in the emulator."""
        with urllib.request.urlopen(f"{self.endpoint}/moto-api/inventory") as answer:
            return set(json.load(answer))

    def code_by_function(self) -> dict[str, str]:
        """Hash of each function's code in AWS, by the function's name."""
        functions = self.client("lambda").list_functions()["Functions"]
        return {function["FunctionName"]: function["CodeSha256"] for function in functions}

    def rights_by_role(self, boundary: str) -> dict[str, list[Right]]:
        """What the policies of each role of the environment allow; AssertionError if a role does not have the permissions boundary."""
        iam = self.client("iam")
        rights: dict[str, list[Right]] = {}
        for role in iam.list_roles(MaxItems=1000)["Roles"]:
            name = role["RoleName"]
            if name.endswith(("-plan", "-apply", "-api-gateway-logs")):
                continue  # what the bootstrap makes: the roles of CI, which create the others, and the account's for access logs
            bounded = (
                iam.get_role(RoleName=name)["Role"]
                .get("PermissionsBoundary", {})
                .get("PermissionsBoundaryArn")
            )
            assert bounded == boundary, f"{name} is bounded by {bounded}"
            assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == [], name
            names = iam.list_role_policies(RoleName=name)["PolicyNames"]
            documents = [iam.get_role_policy(RoleName=name, PolicyName=p)["PolicyDocument"] for p in names]
            rights[name] = [right for document in documents for right in allowed(document)]
        return rights

    def policies(self, role: str) -> list[dict[str, Any]]:
        """Read a role's inline and attached policies."""
        iam = self.client("iam")
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        inline = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return [*inline, *(self.policy(entry["PolicyArn"]) for entry in attached)]

    def trust(self, role: str) -> dict[str, Any]:
        """Read a role's trust policy."""
        document: dict[str, Any] = self.client("iam").get_role(RoleName=role)["Role"][
            "AssumeRolePolicyDocument"
        ]
        return document

    def policy(self, arn: str) -> dict[str, Any]:
        """Read a managed policy."""
        document: dict[str, Any] = self.client("iam").get_policy_version(PolicyArn=arn, VersionId="v1")[
            "PolicyVersion"
        ]["Document"]
        return document


def allowed(document: dict[str, Any]) -> list[Right]:
    """List what a policy allows; wildcards are not expanded."""

    def each(value: str | list[str]) -> list[str]:
        return [value] if isinstance(value, str) else value

    return [
        Right(action, resource)
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in each(statement["Action"])
        for resource in each(statement["Resource"])
    ]
