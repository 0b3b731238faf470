"""Whoever comes back from the identity provider gets a session of their own groups, once, and it ends when it is to end."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from console.oidc import ProviderUnavailableError
from console.rights import Group
from console.sessions import key_of, sign_in_of
from tests.support.console_world import NOW, ConsoleWorld, signing_key, with_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.sessions import SignIn


def test_signing_in_begins_a_session_and_goes_to_the_page_that_was_asked_for(world: ConsoleWorld) -> None:
    back = world.begin("/queue")

    answer = world.get(back)

    assert (answer.status, answer.headers["location"]) == (303, "/queue")
    assert world.get("/queue").status == 200
    assert world.deeds() == [("person-1", "signed_in", "allowed"), ("person-1", "queue_viewed", "allowed")]


def test_the_provider_gets_the_hash_of_a_secret_that_only_the_console_has(world: ConsoleWorld) -> None:
    world.begin()

    sent = world.provider.authorized
    sign_in = sign_in_of(world.cookies["console_sign_in"])
    assert sign_in is not None
    assert (sent["code_challenge_method"], sent["response_type"]) == ("S256", "code")
    assert (sent["state"], sent["nonce"]) == (sign_in.state, sign_in.nonce)
    assert sign_in.code_verifier not in sent.values()
    assert sign_in.token not in str(sent)
    assert sent["redirect_uri"] == "http://127.0.0.1:8080/sign-in/finish"


def test_an_answer_of_the_provider_counts_once(world: ConsoleWorld) -> None:
    back = world.begin()
    world.get(back)

    assert world.get(back).status == 401


def test_sign_ins_that_nobody_finishes_cost_the_list_of_sessions_nothing(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.sign_in(Group.ADMIN)
    for _ in range(200):
        world.begin()
    scans: list[dict[str, Any]] = []
    scan = world.dynamodb.scan

    def counted(**request: Any) -> Any:
        scans.append(scan(**request))
        return scans[-1]

    monkeypatch.setattr(world.dynamodb, "scan", counted)

    (session,) = world.sessions.newest()

    assert session.person == "person-1"
    assert [(answer["ScannedCount"], answer["Count"]) for answer in scans] == [(1, 1)]


@pytest.mark.parametrize(
    "change",
    [
        lambda it: f"{it.token}.{it.ends_at + 900}.{it.next_path.encode().hex()}",
        lambda it: f"{it.token}.{it.ends_at}.{b'/audit'.hex()}",
        lambda it: f"{it.token}x.{it.ends_at}.{it.next_path.encode().hex()}",
        lambda it: f"{it.token}.{it.ends_at}.ff",
        lambda it: f"{it.token}.{it.ends_at}.{'2f' * 2_000}",
        lambda it: f"{it.token}.{'9' * 30}.2f",
        lambda it: f"{it.token}.later.2f",
        lambda it: f"{it.token}.\u00b2.2f",
        lambda it: it.token,
        lambda it: "..",
    ],
)
def test_a_cookie_that_was_changed_begins_no_session(
    world: ConsoleWorld, change: Callable[[SignIn], str]
) -> None:
    back = world.begin("/queue")
    sign_in = sign_in_of(world.cookies["console_sign_in"])
    assert sign_in is not None
    world.cookies["console_sign_in"] = change(sign_in)

    assert world.get(back).status == 401
    assert world.deeds() == []


def test_an_answer_counts_in_the_browser_that_asked(world: ConsoleWorld) -> None:
    back = world.begin()
    world.cookies.clear()

    assert world.get(back).status == 401


@pytest.mark.parametrize(
    "back", ["?code=c&state=other", "?state={state}&error=access_denied", "?state={state}", ""]
)
def test_another_answer_than_the_expected_one_begins_no_session(world: ConsoleWorld, back: str) -> None:
    world.begin()

    answer = world.get("/sign-in/finish" + back.format(state=world.provider.authorized["state"]))

    assert answer.status == 401
    assert world.deeds() == []


def test_a_sign_in_that_took_too_long_begins_no_session(world: ConsoleWorld) -> None:
    back = world.begin()
    world.now += timedelta(minutes=15)

    assert world.get(back).status == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "another-client"},
        {"nonce": "other"},
        {"nonce": None},
        {"exp": int((NOW - timedelta(minutes=2)).timestamp())},
        {"iat": int((NOW + timedelta(minutes=2)).timestamp())},
        {"sub": None},
        {"sub": "p" * 201},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_sign_in_begins_no_session(
    world: ConsoleWorld, claims: dict[str, Any]
) -> None:
    back = world.begin()
    world.provider.claims = claims

    assert world.get(back).status == 401
    assert world.deeds() == []


def test_a_token_with_a_key_of_somebody_else_begins_no_session(world: ConsoleWorld) -> None:
    back = world.begin()
    world.provider.key = signing_key("key-1", "thief")

    assert world.get(back).status == 401


def test_a_key_that_the_provider_has_changed_is_fetched(world: ConsoleWorld) -> None:
    world.get(world.begin())
    world.provider.key = signing_key("key-2")
    world.provider.published = [world.provider.key]

    assert world.get(world.begin()).status == 303


def test_a_code_that_the_provider_refuses_begins_no_session(world: ConsoleWorld) -> None:
    back = world.begin()
    world.provider.status = 400

    assert world.get(back).status == 401


def test_a_provider_that_does_not_answer_is_said_to_be_unavailable(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> bytes:
        raise ProviderUnavailableError("the identity provider did not answer")

    monkeypatch.setattr(world.provider, "get", fail)

    assert world.get("/sign-in/begin").status == 503


def test_somebody_without_a_group_of_the_console_gets_no_session(world: ConsoleWorld) -> None:
    back = world.begin()
    world.provider.claims = {"cognito:groups": ["marketing"]}

    assert world.get(back).status == 403
    assert world.get("/queue").status == 303
    assert world.deeds() == [("person-1", "signed_in", "no_group")]


def test_the_table_holds_nobodys_cookie(world: ConsoleWorld) -> None:
    world.get(world.begin())

    (row,) = world.dynamodb.scan(TableName="console_sessions")["Items"]
    token = world.cookies["console_session"]
    assert token not in str(row)
    assert row["session_key"]["S"] == key_of(token)


@pytest.mark.parametrize(
    ("minutes", "used_every", "status"),
    [(29, 29, 200), (30, 30, 303), (12 * 60 - 1, 29, 200), (12 * 60, 29, 303)],
)
def test_a_session_ends_when_it_is_unused_or_old(
    world: ConsoleWorld, minutes: int, used_every: int, status: int
) -> None:
    world.sign_in(Group.ANALYST)
    begun = world.now
    while world.now + timedelta(minutes=used_every) < begun + timedelta(minutes=minutes):
        world.now += timedelta(minutes=used_every)
        assert world.get("/queue").status == 200
    world.now = begun + timedelta(minutes=minutes)

    assert world.get("/queue").status == status


def test_signing_out_ends_the_session_for_a_copy_of_its_cookie_too(world: ConsoleWorld) -> None:
    token = world.sign_in(Group.ANALYST)
    world.post("/sign-out", {})
    world.cookies["console_session"] = token

    assert world.get("/queue").status == 303


def test_signing_out_leads_to_where_the_provider_signs_the_browser_out(aws: Callable[[str], Any]) -> None:
    world = ConsoleWorld(aws("dynamodb"), with_url("https://console.example/v1"))
    world.sign_in(Group.ANALYST)

    answer = world.post("/sign-out", {}, {"Host": "console.example"})

    (address,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.body)
    parts = urlsplit(unescape(address))
    assert (answer.status, parts.netloc, parts.path) == (200, "issuer.example", "/logout")
    asked = parse_qs(parts.query)
    assert asked["client_id"] == ["console"]
    assert asked["logout_uri"] == asked["post_logout_redirect_uri"] == ["https://console.example/v1/sign-in"]
    assert f'href="{address}"' in answer.body
    assert "Sign out</button>" not in answer.body


@pytest.mark.parametrize("is_reached", [True, False], ids=["it has no such page", "it does not answer"])
def test_signing_out_ends_the_session_though_the_provider_cannot_sign_the_browser_out(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch, is_reached: bool
) -> None:
    def fail(_: str) -> bytes:
        raise ProviderUnavailableError("the identity provider did not answer")

    world.provider.end_session = None
    token = world.sign_in(Group.ANALYST)
    if not is_reached:
        monkeypatch.setattr(world.provider, "get", fail)

    answer = world.post("/sign-out", {})

    assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    assert world.cookies["console_session"] == ""
    world.cookies["console_session"] = token
    assert world.get("/queue").status == 303


def test_the_provider_is_asked_to_ask_for_the_password(world: ConsoleWorld) -> None:
    world.begin()

    assert world.provider.authorized["prompt"] == "login"


@pytest.mark.parametrize(
    ("seconds", "status"), [(None, 303), (5, 303), (-59, 303), (-61, 401), (-3_000, 401)]
)
def test_a_password_that_was_given_before_the_sign_in_began_begins_no_session(
    world: ConsoleWorld, seconds: int | None, status: int
) -> None:
    back = world.begin()
    world.provider.claims = {} if seconds is None else {"auth_time": int(NOW.timestamp()) + seconds}

    answer = world.get(back)

    assert answer.status == status
    assert ("Sign out there" in answer.body) is (status == 401)
    assert [action for _, action, _ in world.deeds()] == ([] if status == 401 else ["signed_in"])


def test_a_password_of_before_is_refused_where_the_provider_signs_nobody_out(world: ConsoleWorld) -> None:
    world.provider.end_session = None
    back = world.begin()
    world.provider.claims = {"auth_time": int(NOW.timestamp()) - 3_000}

    assert world.get(back).status == 401


def test_signing_out_deletes_the_cookie_as_it_was_set(aws: Callable[[str], Any]) -> None:
    world = ConsoleWorld(aws("dynamodb"), with_url("https://console.example/v1"))
    world.sign_in(Group.ANALYST)

    answer = world.post("/sign-out", {}, {"Host": "console.example"})

    cookie = answer.cookies["__Host-console_session"]
    assert (cookie.value, cookie["max-age"], cookie["path"], bool(cookie["secure"])) == ("", "0", "/", True)


def test_a_session_that_cannot_be_read_is_none(world: ConsoleWorld) -> None:
    token = world.sign_in(Group.ANALYST)
    row = {"session_key": {"S": key_of(token)}, "groups": {"L": [{"S": "analysts of old"}]}}
    world.dynamodb.put_item(TableName="console_sessions", Item=row)

    assert world.get("/queue").headers["location"] == "/sign-in?next=/queue"
    assert world.get("/sign-in").status == 200


def test_a_session_that_cannot_be_read_is_left_out_of_the_list(world: ConsoleWorld) -> None:
    world.sign_in(Group.ADMIN)
    world.dynamodb.put_item(
        TableName=world.settings.console_sessions_table,
        Item={"session_key": {"S": "k"}, "groups": {"L": [{"S": "of-the-next-version"}]}},
    )

    listed = world.sessions.newest()

    assert [session.person for session in listed] == ["person-1"]
    assert len(world.log.lines) == 1


def test_an_admin_ends_the_session_of_somebody_else_at_once(world: ConsoleWorld) -> None:
    analyst = world.sign_in(Group.ANALYST)
    world.sign_in(Group.ADMIN, person="person-2")

    world.post("/sessions/revoke", {"subject": key_of(analyst)})

    world.cookies["console_session"] = analyst
    assert world.get("/queue").status == 303


@pytest.mark.parametrize(
    ("url", "name", "is_secure"),
    [
        ("http://127.0.0.1:8080", "console_session", False),
        ("https://console.example/v1", "__Host-console_session", True),
    ],
)
def test_cookies_are_for_the_console_alone(
    aws: Callable[[str], Any], url: str, name: str, is_secure: bool
) -> None:
    world = ConsoleWorld(aws("dynamodb"), with_url(url))

    cookie = world.get(world.begin()).cookies[name]

    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "lax"
    assert bool(cookie["secure"]) is is_secure
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_paths_begin_with_the_stages(aws: Callable[[str], Any]) -> None:
    world = ConsoleWorld(aws("dynamodb"), with_url("https://console.example/v1"))
    world.sign_in(Group.ANALYST)

    answer = world.get("/queue")

    assert 'href="/v1/console.css"' in answer.body
    assert 'href="/v1/queue"' in answer.body
    assert world.get("/").headers["location"] == "/v1/queue"
