"""IAM: every call of a role is evaluated, and refused if the role's policies or boundary do not allow it. moto's own check is off.

Three kinds of callers: the administrator, whose access key is none that the emulator made, may do everything; a role's session, made by
AssumeRoleWithWebIdentity, may do what its policies allow; the role's trust policy decides about the token's claims. Tokens are not
signed here. ``GET /moto-api/authorizations`` shows what was decided.
"""

from __future__ import annotations

import base64
import functools
import json
from typing import TYPE_CHECKING, Any, Final

from moto.awslambda.responses import LambdaResponse
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.models import iam_backends
from moto.moto_api._internal import urls
from moto.s3.responses import S3Response
from moto.sts.models import sts_backends
from moto.sts.responses import TokenResponse

from tests.terraform.emulator.iam_call import Call
from tests.terraform.emulator.iam_requests import iam_requests
from tests.terraform.emulator.iam_state import EmulatorState
from tests.terraform.iam.evaluator import Policy, Request, decide, trusts

if TYPE_CHECKING:
    from moto.iam.models import Role

ISSUER: Final = "token.actions.githubusercontent.com"

CLAIMS: Final = (
    "aud",
    "sub",
    "repository",
    "repository_id",
    "ref",
    "environment",
    "job_workflow_ref",
    "workflow",
    "actor",
    "actor_id",
)
"""Claims of GitHub's tokens that STS makes condition keys of. Source: AWS IAM user guide, "IAM and AWS STS condition context keys",
and the announcement of January 2026."""

ROUTED: Final = {"apigateway", "s3"}
"""Services whose paths moto names otherwise than AWS's model does."""

ALWAYS_ALLOWED: Final = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"}
"""Calls that need no permission."""

UNREADABLE: Final = "Lambda was unable to decrypt the environment variables because KMS access was denied."

decided: dict[str, dict[str, Any]] = {}
"""Every distinct decision: caller, action, resource, whether it was allowed and why."""


class RefusedError(ServiceException):
    """AWS's answer to a call that policies do not allow."""

    code = "AccessDenied"


@functools.lru_cache(maxsize=256)
def policy(text: str) -> Policy:
    """Check a document once."""
    return Policy(json.loads(text))


def policies_of(role: Role) -> tuple[list[Policy], Policy | None]:
    """A role's inline and attached policies, and its boundary."""
    backend = iam_backends[role.account_id]["aws"]
    inline = [_text(document) for document in role.policies.values()]
    attached = [_document_of(managed) for managed in role.managed_policies.values()]
    bound = role.permissions_boundary_arn
    boundary = policy(_document_of(backend.get_policy(bound))) if bound else None
    return [policy(text) for text in [*inline, *attached]], boundary


def _document_of(managed: Any) -> str:
    (version,) = (version for version in managed.versions if version.version_id == managed.default_version_id)
    return _text(version.document)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def role_of(access_key: str, account: str) -> Role | None:
    """The role of a session; None for the administrator."""
    session = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    return iam_backends[account]["aws"].get_role_by_arn(session.role_arn) if session else None


def is_allowed(role: Role | None, request: Request) -> bool:
    """Evaluate one request of a role, and note the decision; the administrator may do everything."""
    if role is None or request.action in ALWAYS_ALLOWED:
        return True
    policies, boundary = policies_of(role)
    found = decide(request, policies, boundary)
    note = {
        "role": role.name,
        "action": request.action,
        "resource": request.resource,
        "context": dict(request.context),
    }
    decided[json.dumps(note, sort_keys=True)] = note | {
        "is_allowed": found.is_allowed,
        "reason": found.reason,
    }
    return found.is_allowed


def check(response: BaseResponse) -> None:
    """Raise `RefusedError` unless the caller may make the call."""
    role = role_of(response.access_key, response.current_account)
    if role is None:
        return
    call = read_call(response)
    try:
        requests = iam_requests(call, EmulatorState(call))
    except LookupError as error:
        raise RefusedError(
            f"the emulator must be taught the IAM action of {call.service}:{call.operation}: {error}"
        ) from error
    for request in requests:
        if not is_allowed(role, request):
            raise RefusedError(
                f"User: {role.arn} is not authorized to perform: {request.action} on resource: {request.resource}"
            )


def read_call(response: BaseResponse) -> Call:
    """The operation and its parameters, by AWS's own model of the service."""
    service = response.boto3_service_name
    request = response.normalized_request
    model = get_service_model(service)
    if service in ROUTED:
        operation, url_params = get_service_router(service).match(request)
        name = operation.name
    else:
        name = response._get_action()  # finds the path's parameters too
        url_params = response.uri_match
    if service == "s3":
        response.uri_match = url_params
    parser = PROTOCOL_PARSERS[determine_request_protocol(model, request.content_type)](
        model.operation_model(name), map_type=dict
    )
    parameters = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": url_params,
        }
    )
    return Call(service, name, parameters, response.region, response.current_account)


def refusing_calls() -> None:
    """Check each call before it is executed."""
    call, bucket, key = BaseResponse.call_action, S3Response.bucket_response, S3Response.key_response

    def call_action(self: BaseResponse) -> Any:
        try:
            check(self)
        except RefusedError as refused:
            return self.serialized(ActionResult(refused))
        return call(self)

    def checked(serve: Any) -> Any:
        def response(self: S3Response, request: Any, full_url: str, headers: Any) -> Any:
            self.setup_class(request)
            try:
                check(self)
            except RefusedError as refused:
                return self._send_response(self.serialized(ActionResult(refused)))
            return serve(self, request, full_url, headers)

        return response

    BaseResponse.call_action = call_action  # type: ignore[method-assign]
    S3Response.bucket_response = checked(bucket)  # type: ignore[method-assign]
    S3Response.key_response = checked(key)  # type: ignore[method-assign]


def web_identities() -> None:
    """STS evaluates the role's trust policy for the token's claims."""
    assume = TokenResponse.assume_role_with_web_identity

    def assume_role_with_web_identity(self: TokenResponse) -> Any:
        payload = self._get_param("WebIdentityToken").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        keys = {f"{ISSUER}:{name}": claims[name] for name in CLAIMS if name in claims}
        role = iam_backends[self.current_account]["aws"].get_role_by_arn(self._get_param("RoleArn"))
        provider = f"arn:aws:iam::{self.current_account}:oidc-provider/{ISSUER}"
        if not trusts(json.loads(role.assume_role_policy_document), provider, keys):
            raise RefusedError("Not authorized to perform sts:AssumeRoleWithWebIdentity")
        return assume(self)

    TokenResponse.assume_role_with_web_identity = assume_role_with_web_identity  # type: ignore[method-assign]


def hidden_variables() -> None:
    """Lambda shows a function's variables only to whoever may decrypt them.

    Source: AWS Lambda developer guide, "Securing Lambda environment variables": with a customer managed key only users with access to
    the key can view environment variables.
    """

    def hiding(show: Any) -> Any:
        def response(self: LambdaResponse) -> str:
            answer = json.loads(show(self))
            configuration = answer.get("Configuration", answer)
            role, key = role_of(self.access_key, self.current_account), configuration.get("KMSKeyArn")
            if key and "Environment" in configuration:
                through = {
                    "kms:ViaService": f"lambda.{self.region}.amazonaws.com",
                    "aws:RequestedRegion": self.region,
                }
                if (
                    role is not None
                    and not decide(Request("kms:Decrypt", key, through), *policies_of(role)).is_allowed
                ):
                    configuration["Environment"] = {
                        "Error": {"ErrorCode": "AccessDeniedException", "Message": UNREADABLE}
                    }
            return json.dumps(answer)

        return response

    for name in ("get_function", "get_function_configuration"):
        setattr(LambdaResponse, name, hiding(getattr(LambdaResponse, name)))


def serve(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    """Answer with all decisions."""
    return 200, {"Content-Type": "application/json"}, json.dumps(list(decided.values()))


def install() -> None:
    """Check all calls; before the patch that serves one call at a time, which wraps this."""
    refusing_calls()
    hidden_variables()
    web_identities()
    urls.url_paths["{0}/moto-api/authorizations"] = serve
