"""Names that are taken already, in the account or in all of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from ops.doctor.finding import Finding, Level, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER: Final = "token.actions.githubusercontent.com"
SETTING: Final = "create_github_oidc_provider"
LOGS_SETTING: Final = "enable_api_gateway_logs"


def _bucket(site: Site) -> str:
    """Whether the state's bucket is "ours", "missing" or "foreign"."""
    try:
        site.client("s3").head_bucket(
            Bucket=site.environment.bucket, ExpectedBucketOwner=site.environment.account_id
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "404":
            return "missing"
        if code == "403":
            return "foreign"
        raise
    return "ours"


def state_bucket(site: Site) -> Iterator[Finding]:
    """Whether the state's bucket is ours or can still be created: bucket names are unique in all of AWS."""
    match _bucket(site):
        case "foreign":
            yield Finding(
                Level.FAIL,
                f"The bucket {site.environment.bucket} belongs to another account, or these credentials may not see it; choose another name "
                f"in backend.hcl and bootstrap.tfvars of {site.environment.name}.",
            )
        case "missing":
            yield Finding(
                Level.OK, f"The bucket {site.environment.bucket} is free; `make bootstrap` creates it."
            )
        case _:
            yield Finding(Level.OK, f"The bucket {site.environment.bucket} is this account's.")


def oidc_provider(site: Site) -> Iterator[Finding]:
    """Whether bootstrap creates GitHub's provider exactly where the account has none: one URL can be registered once an account."""
    providers = site.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    exists = any(provider["Arn"].endswith(f"oidc-provider/{ISSUER}") for provider in providers)
    creates = site.bootstrap.get(SETTING, True)
    if exists and creates and _bucket(site) == "missing":
        yield Finding(
            Level.FAIL,
            f"The account has GitHub's OIDC provider already; set {SETTING} = false in bootstrap.tfvars of {site.environment.name}.",
        )
    elif not exists and not creates:
        yield Finding(
            Level.FAIL,
            f"The account has no OIDC provider of GitHub; remove {SETTING} from bootstrap.tfvars of {site.environment.name}.",
        )
    else:
        yield Finding(Level.OK, "GitHub's OIDC provider: nothing in the way.")


def api_gateway_logs(site: Site) -> Iterator[Finding]:
    """Whether API Gateway has a role for the console's access log: one in an account and region, so it may be somebody else's."""
    if not site.has_console:
        return
    role = site.client("apigateway").get_account().get("cloudwatchRoleArn") or ""
    sets = site.bootstrap.get(LOGS_SETTING, False)
    file = f"bootstrap.tfvars of {site.environment.name}"
    if not role:
        first = f"run `make bootstrap ENV={site.environment.name}`"
        yield Finding(
            Level.FAIL,
            f"API Gateway has no role for logs in {site.region}, and refuses the console's access log without one; "
            + (f"{first}." if sets else f"set {LOGS_SETTING} = true in {file}, then {first}."),
        )
    elif sets and not role.endswith("-api-gateway-logs"):
        yield Finding(
            Level.WARN,
            f"API Gateway has the role {role} for logs, which bootstrap replaces; set {LOGS_SETTING} = false in {file}.",
        )
    else:
        yield Finding(Level.OK, "API Gateway's role for logs is set.")


def leftovers(site: Site) -> Iterator[Finding]:
    """Resources with the environment's names although it has no state: the apply would fail at each of them."""
    if _has_state(site):
        return
    taken = [
        f"table {name}"
        for name in site.every("dynamodb", "list_tables", "TableNames")
        if _is_ours(site, name)
    ]
    taken += [f"cluster {site.prefix}"] if site.has_cluster() else []
    groups = site.every("elasticache", "describe_replication_groups", "ReplicationGroups")
    taken += [f"cache {g['ReplicationGroupId']}" for g in groups if _is_ours(site, g["ReplicationGroupId"])]
    functions = site.every("lambda", "list_functions", "Functions")
    taken += [f"function {f['FunctionName']}" for f in functions if _is_ours(site, f["FunctionName"])]
    if taken:
        yield Finding(
            Level.FAIL,
            f"{site.environment.name} has no state, but its names are taken by {', '.join(taken)}; delete or import them, or set another "
            "project in its tfvars and in bootstrap.tfvars.",
        )
    else:
        yield Finding(Level.OK, f"No name of {site.prefix} is taken.")


def _is_ours(site: Site, name: str) -> bool:
    return name.startswith(f"{site.prefix}-")


def _has_state(site: Site) -> bool:
    try:
        site.client("s3").head_object(
            Bucket=site.environment.bucket, Key=f"{site.environment.name}/terraform.tfstate"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True
