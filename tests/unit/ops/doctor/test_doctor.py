"""`make doctor`: each thing that makes a first day fail is found before an apply, in a sentence that says what to do."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from ops import commands, doctor
from ops.doctor.finding import Finding, Level, Site, read_site
from ops.environment import ROOT, Environment
from ops.errors import OpsError
from ops.manifests import read_function

READING = re.compile(r"^(Get|List|Describe|Head)")

ZONES = [
    {"ZoneName": f"us-east-1{letter}", "ZoneId": f"use1-az{number}", "State": "available"}
    for number, letter in enumerate("abcd", 1)
]


class Aws:
    """Stands in for an account: answers by operation. Parameters are checked with AWS's own model; a call that writes is an error."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "GetCallerIdentity": {"Account": "123456789012"},
            "GetAccountSettings": self.concurrency(1000, 1000),
            "GetFunctionConcurrency": ClientError(
                {"Error": {"Code": "ResourceNotFoundException"}}, "GetFunctionConcurrency"
            ),
            "DescribeAvailabilityZones": {"AvailabilityZones": ZONES},
            "DescribeInstanceTypeOfferings": self.offers("abcd"),
            "ListKafkaVersions": {"KafkaVersions": [{"Version": "3.9.x.kraft", "Status": "ACTIVE"}]},
            "DescribeCacheEngineVersions": {"CacheEngineVersions": [{"EngineVersion": "8.0.1"}]},
            "ListClustersV2": {"ClusterInfoList": []},
            "ListServiceQuotas": {"Quotas": []},
            "DescribeVpcs": {"Vpcs": [{}]},
            "DescribeVpcEndpoints": {"VpcEndpoints": []},
            "DescribeNetworkInterfaces": {"NetworkInterfaces": []},
            "ListOpenIDConnectProviders": {"OpenIDConnectProviderList": []},
            "HeadBucket": ClientError({"Error": {"Code": "404"}}, "HeadBucket"),
            "HeadObject": ClientError({"Error": {"Code": "404"}}, "HeadObject"),
            "ListTables": {"TableNames": []},
            "DescribeReplicationGroups": {"ReplicationGroups": []},
            "ListFunctions": {"Functions": []},
        }
        self.called: set[str] = set()
        self.actions: set[str] = set()
        """What IAM calls them."""

    @staticmethod
    def concurrency(total: int, unreserved: int) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": unreserved}}

    @staticmethod
    def offers(letters: str) -> dict[str, Any]:
        return {"InstanceTypeOfferings": [{"Location": f"us-east-1{letter}"} for letter in letters]}

    def call(self, client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        assert READING.match(operation), f"{operation} writes"
        shape = client.meta.service_model.operation_model(operation).input_shape
        assert shape is not None
        validate_parameters(parameters, shape)
        self.called.add(operation)
        self.actions.add(f"{client.meta.service_model.signing_name}:{operation}")
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    account = Aws()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")

    def call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        return account.call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return account


def environment(name: str) -> Environment:
    return Environment(name, ROOT, "123456789012", "us-east-1", "fraud-state")


def site(name: str = "dev", **settings: Any) -> Site:
    """An environment of the repository, as after `first-installation`, with some settings changed."""
    read = read_site(environment(name))
    changed = {key.replace("__", "."): value for key, value in settings.items()}
    people = {"operations_subscriptions.page.on-call.protocol": "email", "alerts": {"desk": {}}}
    return msgspec.structs.replace(
        read,
        settings=read.settings | people | changed,
        bootstrap=read.bootstrap | {"github_repository": "owner/name"},
    )


def problems(found: list[Finding], level: Level = Level.FAIL) -> list[str]:
    return [finding.text for finding in found if finding.level is level]


def examine(**settings: Any) -> list[Finding]:
    return doctor.examine(site(**settings), is_quick=False)


def test_a_new_account_with_the_usual_quotas_has_nothing_in_the_way(aws: Aws) -> None:
    assert {finding.level for finding in examine()} == {Level.OK}
    assert aws.called == set(aws.answers) - {"GetCallerIdentity"}


@pytest.mark.parametrize(("total", "quota"), [(10, 183), (50, 183), (182, 183)])
def test_a_concurrency_that_cannot_be_reserved_is_found(aws: Aws, total: int, quota: int) -> None:
    aws.answers["GetAccountSettings"] = aws.concurrency(total, total)
    reserved = sum(spec.reserved_concurrency for spec in site().functions.values())

    assert problems(examine()) == [
        (
            f"Lambda allows {total} concurrent executions in us-east-1, {total} of them unreserved; dev reserves {reserved} more and 100 must "
            f'stay unreserved: request a quota of {quota - 83 + reserved} for "Concurrent executions" of AWS Lambda in Service Quotas.'
        )
    ]


@pytest.mark.parametrize(
    ("role", "sets", "level", "said"),
    [
        (None, False, Level.FAIL, "set enable_api_gateway_logs = true in bootstrap.tfvars of dev, then run"),
        (
            None,
            True,
            Level.FAIL,
            "refuses the console's access log without one; run `make bootstrap ENV=dev`.",
        ),
        ("arn:aws:iam::123456789012:role/theirs", True, Level.WARN, "set enable_api_gateway_logs = false"),
        ("arn:aws:iam::123456789012:role/theirs", False, Level.OK, "is set"),
        ("arn:aws:iam::123456789012:role/fraud-api-gateway-logs", True, Level.OK, "is set"),
    ],
)
def test_a_console_needs_api_gateways_role_for_logs(
    aws: Aws, role: str | None, sets: bool, level: Level, said: str
) -> None:
    aws.answers["GetAccount"] = {"cloudwatchRoleArn": role} if role else {}
    asked = site()
    asked = msgspec.structs.replace(
        asked,
        functions=asked.functions | {"console": read_function("console")},
        bootstrap=asked.bootstrap | {"enable_api_gateway_logs": sets},
    )

    (finding,) = (each for each in doctor.examine(asked, is_quick=True) if "API Gateway" in each.text)

    assert finding.level is level
    assert said in finding.text


def test_what_the_functions_have_reserved_already_is_not_counted_twice(aws: Aws) -> None:
    reserved = {spec.reserved_concurrency for spec in site().functions.values()}
    aws.answers["GetAccountSettings"] = aws.concurrency(200, 100)
    aws.answers["GetFunctionConcurrency"] = {"ReservedConcurrentExecutions": max(reserved)}

    assert problems(examine()) == []


def test_a_zone_that_the_account_does_not_have_is_found(aws: Aws) -> None:
    aws.answers["DescribeAvailabilityZones"] = {"AvailabilityZones": ZONES[1:]}

    assert problems(examine()) == [
        "This account has no zone us-east-1a; set availability_zones to three of us-east-1b, us-east-1c, us-east-1d."
    ]


def test_a_zone_without_the_brokers_instance_is_named_with_its_id(aws: Aws) -> None:
    aws.answers["DescribeInstanceTypeOfferings"] = aws.offers("abd")

    assert problems(examine(), Level.WARN) == [
        "us-east-1c (use1-az3) does not offer t3.small, so MSK may refuse it for brokers; replace it in availability_zones by us-east-1d."
    ]


def test_versions_that_the_region_does_not_offer_are_found(aws: Aws) -> None:
    aws.answers["ListKafkaVersions"] = {
        "KafkaVersions": [
            {"Version": "3.9.x.kraft", "Status": "DEPRECATED"},
            {"Version": "4.0.x.kraft", "Status": "ACTIVE"},
        ]
    }
    aws.answers["DescribeCacheEngineVersions"] = {"CacheEngineVersions": [{"EngineVersion": "7.2"}]}

    assert problems(examine()) == [
        "MSK offers no Kafka 3.9.x.kraft in us-east-1; set kafka.version to one of 4.0.x.kraft.",
        "ElastiCache offers no valkey 8.0 in us-east-1; set cache.engine_version to one of 7.2.",
    ]


def test_quotas_that_are_used_up_are_found(aws: Aws) -> None:
    aws.answers["ListClustersV2"] = {
        "ClusterInfoList": [{"ClusterName": "other", "Provisioned": {"NumberOfBrokerNodes": 88}}]
    }
    aws.answers["DescribeVpcs"] = {"Vpcs": [{}] * 5}
    aws.answers["ListServiceQuotas"] = {
        "Quotas": [{"QuotaName": "Network interfaces per Region", "Value": 20.0}]
    }

    found = problems(examine())

    assert found[0] == (
        '"Number of brokers per account" is 90 in us-east-1 and 88 are used; dev needs 3 more: request a quota of 91 for it in Service '
        "Quotas (kafka)."
    )
    assert found[1].startswith(
        '"VPCs per Region" is 5 in us-east-1 and 5 are used; dev needs 1 more: request a quota of 6'
    )
    assert found[2].startswith('"Network interfaces per Region" is 20 in us-east-1 and 0 are used;')
    assert len(found) == 3


def test_an_environment_that_exists_needs_no_quota_again(aws: Aws) -> None:
    aws.answers["ListClustersV2"] = {
        "ClusterInfoList": [{"ClusterName": "fraud-dev", "Provisioned": {"NumberOfBrokerNodes": 90}}]
    }
    aws.answers["DescribeVpcs"] = {"Vpcs": [{}] * 4 + [{"Tags": [{"Key": "Name", "Value": "fraud-dev"}]}]}
    aws.answers["HeadObject"] = {}
    aws.answers["ListKafkaVersions"] = {"KafkaVersions": []}

    assert problems(examine()) == []


def test_an_oidc_provider_that_exists_is_found_before_bootstrap(aws: Aws) -> None:
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    aws.answers["ListOpenIDConnectProviders"] = {"OpenIDConnectProviderList": [{"Arn": arn}]}

    assert problems(examine()) == [
        "The account has GitHub's OIDC provider already; set create_github_oidc_provider = false in bootstrap.tfvars of dev."
    ]
    aws.answers["HeadBucket"] = {}  # after bootstrap it is ours
    assert problems(examine()) == []


def test_a_bucket_of_another_account_is_found(aws: Aws) -> None:
    aws.answers["HeadBucket"] = ClientError({"Error": {"Code": "403"}}, "HeadBucket")

    (found,) = problems(examine())

    assert found.startswith("The bucket fraud-state belongs to another account")


def test_names_that_are_taken_without_a_state_are_found(aws: Aws) -> None:
    aws.answers["ListTables"] = {"TableNames": ["fraud-dev-labels", "fraud-development"]}
    aws.answers["DescribeReplicationGroups"] = {
        "ReplicationGroups": [{"ReplicationGroupId": "fraud-dev-profiles"}]
    }

    (found,) = problems(examine())

    assert found.startswith(
        "dev has no state, but its names are taken by table fraud-dev-labels, cache fraud-dev-profiles;"
    )


@pytest.mark.parametrize(("name", "level"), [("dev", Level.WARN), ("prod", Level.FAIL)])
def test_an_environment_with_nobody_to_page_or_to_alert_is_found(aws: Aws, name: str, level: Level) -> None:
    found = doctor.examine(read_site(environment(name)), is_quick=True)

    assert problems(found, level) == [
        f"Nobody is paged; name them in operations_subscriptions.page of {name}.tfvars.",
        f"Nobody gets the alerts; name them in alert_subscriptions of {name}.tfvars.",
    ]


def test_what_aws_does_not_answer_is_said_and_the_rest_is_checked(aws: Aws) -> None:
    aws.answers["GetAccountSettings"] = ClientError({"Error": {"Code": "AccessDenied"}}, "GetAccountSettings")

    found = examine()

    assert len(problems(found, Level.UNKNOWN)) == 1
    assert problems(found, Level.UNKNOWN)[0].startswith("AWS did not answer for Lambda's concurrency (")
    assert len(problems(found, Level.OK)) > 8


def test_the_command_prints_every_finding_and_fails_on_the_placeholder(
    aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.examine(environment("dev")) == 1
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == "ok      Account 123456789012, us-east-1."
    assert (
        "fail    bootstrap.tfvars of dev names no repository of yours; set github_repository to owner/name."
        in lines
    )


def test_a_plan_runs_the_quick_checks_and_stops_at_what_would_fail(aws: Aws) -> None:
    aws.answers["GetAccountSettings"] = aws.concurrency(50, 50)

    with pytest.raises(OpsError, match=r"^Lambda allows 50 concurrent executions"):
        commands.check_site(environment("dev"))
    assert "ListServiceQuotas" not in aws.called


def test_the_plan_role_may_make_the_quick_calls(aws: Aws) -> None:
    policy = (ROOT / "terraform/bootstrap/plan_role.tf").read_text()
    allowed = re.findall(r'"([a-z0-9]+:[A-Za-z0-9*]+)"', policy.split('sid    = "NeverData"')[0])

    doctor.examine(site(), is_quick=True)

    assert len(aws.actions) >= 5
    assert [
        action for action in sorted(aws.actions) if not any(fnmatchcase(action, right) for right in allowed)
    ] == []


def test_a_plan_goes_on_with_a_warning(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    commands.check_site(environment("dev"))

    assert capsys.readouterr().out.startswith("warn    Nobody is paged;")
