"""What the emulator's resources say for condition keys: tags, a role's boundary, the key of a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends
from moto.appconfig.models import appconfig_backends
from moto.awslambda_simple.models import lambda_simple_backends
from moto.cognitoidp.models import cognitoidp_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

if TYPE_CHECKING:
    from tests.terraform.emulator.iam_call import Call


class EmulatorState:
    """The resources of a call's account and region."""

    def __init__(self, call: Call) -> None:
        self._account = call.account
        self._region = call.region

    def keys_of(self, arn: str) -> dict[str, str | list[str]]:
        """Condition keys of a resource; empty for types whose policies name no tag."""
        service, _, rest = arn.removeprefix("arn:aws:").partition(":")
        resource = rest.split(":", 2)[-1]
        if service == "iam" and resource.startswith("role/"):
            return self._boundary(resource.removeprefix("role/"))
        if service == "lambda" and resource.startswith("event-source-mapping:"):
            return self._mapped_function(resource.partition(":")[2])
        return {f"aws:ResourceTag/{key}": value for key, value in self._tags(service, arn, resource).items()}

    def resource_behind(self, value: str) -> str:
        """The route table of an association's id; any other value as it is."""
        if not value.startswith("rtbassoc-"):
            return value
        tables = ec2_backends[self._account][self._region].route_tables
        return next((name for name, table in tables.items() if value in table._associations), value)

    def key_of_bucket(self, bucket: str) -> str | None:
        """ARN of the customer key of a bucket's default encryption."""
        found = s3_backends[self._account]["aws"].buckets.get(bucket)
        rule: Any = ((found.encryption if found else None) or {}).get("Rule")
        rules = rule if isinstance(rule, list) else [rule] if rule else []
        keys = [entry["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") for entry in rules]
        return keys[0] if keys else None

    def _tags(self, service: str, arn: str, resource: str) -> dict[str, str]:
        if service == "ec2":
            return dict(ec2_backends[self._account][self._region].tags.get(resource.rpartition("/")[2], {}))
        if service == "kms" and resource.startswith("key/"):
            tagger = kms_backends[self._account][self._region].tagger
            return dict(tagger.get_tag_dict_for_resource(resource.removeprefix("key/")))
        if service == "apigateway":
            name = resource.removeprefix("/restapis/")
            api = apigateway_backends[self._account][self._region].apis.get(name)
            return dict(api.tags or {}) if api is not None else {}
        if service == "cognito-idp":
            pool = cognitoidp_backends[self._account][self._region].user_pools.get(
                resource.rpartition("/")[2]
            )
            return dict(pool.extended_config.get("UserPoolTags") or {}) if pool is not None else {}
        if service == "appconfig":
            return dict(appconfig_backends[self._account][self._region].tagger.get_tag_dict_for_resource(arn))
        return {}

    def _boundary(self, name: str) -> dict[str, str | list[str]]:
        role = next(
            (role for role in iam_backends[self._account]["aws"].get_roles() if role.name == name), None
        )
        if role is None or not role.permissions_boundary_arn:
            return {}
        return {"iam:PermissionsBoundary": role.permissions_boundary_arn}

    def _mapped_function(self, identity: str) -> dict[str, str | list[str]]:
        mapping = lambda_simple_backends[self._account][self._region]._event_source_mappings.get(identity)
        return {"lambda:FunctionArn": mapping.function_arn} if mapping is not None else {}
