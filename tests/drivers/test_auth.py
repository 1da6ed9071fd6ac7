"""Credentials: tokens are asked for once, kept while they live, renewed when refused, and never taken from a failure."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest

from harness.drivers.auth import WRONG, ClientCredentials, NoCredentials, altered, credentials_for
from harness.drivers.aws_signature import Signer
from harness.drivers.http import Body, HttpDriver
from harness.redact import Redactor
from harness.reference.mediaservice.http.access import Access, Scheme
from harness.target import ApidazeTarget, MediaserviceTarget, Timing
from harness.timeline import HttpExchange, Timeline
from tests.drivers.hostile import Behaviour, answer, answering, read_request, serving


class Platform:
    """Gives tokens `token-1`, `token-2`… and serves only those that `good` says; keeps what it was asked."""

    def __init__(self, tokens: list[bytes] | None = None, good: set[str] | None = None) -> None:
        self.tokens = tokens
        self.good = good
        self.token_requests: list[bytes] = []
        self.requests: list[bytes] = []
        self._lock = threading.Lock()

    def __call__(self, connection: Any, over: threading.Event) -> None:
        while not over.is_set():
            request = read_request(connection)
            if not request:
                return
            connection.sendall(self._answer(request))

    def _answer(self, request: bytes) -> bytes:
        with self._lock:
            if request.startswith(b"POST /token"):
                self.token_requests.append(request)
                number = len(self.token_requests)
                if self.tokens is not None:
                    return self.tokens[min(number, len(self.tokens)) - 1]
                return token(f"token-{number}")
            self.requests.append(request)
            shown = bearer(request)
            return answer() if self.good is None or shown in self.good else answer("401 Unauthorized")


def bearer(request: bytes) -> str:
    line = next((line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")), b"")
    return line.decode().rpartition(" ")[2]


def token(value: str, **members: Any) -> bytes:
    return answer(body=json.dumps({"access_token": value, "expires_in": "3599", **members}).encode())


def made(
    url: str, timeline: Timeline, redactor: Redactor | None = None, **options: Any
) -> tuple[HttpDriver, ClientCredentials]:
    target = ApidazeTarget(
        base_url=f"{url}/api", token_url=f"{url}/token", client_id="me", client_secret="s3cret-of-mine", **options
    )
    credentials = ClientCredentials(target, Redactor() if redactor is None else redactor)
    return HttpDriver("apidaze", target, credentials, timeline, timing=Timing(connect=0.5, answer=0.5)), credentials


def test_one_token_serves_many_requests_and_its_request_is_in_the_timeline() -> None:
    platform, timeline = Platform(), Timeline("t")
    with serving(platform) as url, made(url, timeline)[0] as api:
        for _ in range(3):
            assert api.request("GET", "/x").response is not None
    assert len(platform.token_requests) == 1
    assert [bearer(request) for request in platform.requests] == ["token-1"] * 3
    exchanges = timeline.of(HttpExchange)
    assert len(exchanges) == 4
    assert exchanges[0].about == {"operation": "getAccessToken", "auth": "valid"}
    assert exchanges[1].about == {"auth": "valid"}


def test_many_threads_ask_for_one_token() -> None:
    platform = Platform()
    with serving(platform) as url, made(url, Timeline("t"))[0] as api:
        threads = [threading.Thread(target=api.request, args=("GET", "/x")) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert len(platform.token_requests) == 1
    assert len(platform.requests) == 6


@pytest.mark.parametrize("place", ["body", "basic"])
def test_credentials_travel_where_the_target_says(place: str) -> None:
    platform, redactor = Platform(), Redactor()
    with serving(platform) as url, made(url, Timeline("t"), redactor, credentials_in=place)[0] as api:
        api.request("GET", "/x")
    head, _, body = platform.token_requests[0].partition(b"\r\n\r\n")
    form = parse_qs(body.decode())
    assert form["grant_type"] == ["client_credentials"]
    pair = base64.b64encode(b"me:s3cret-of-mine").decode()
    if place == "body":
        assert (form["client_id"], form["client_secret"]) == (["me"], ["s3cret-of-mine"])
        assert b"authorization" not in head.lower()
    else:
        assert "client_secret" not in form
        assert f"Basic {pair}".encode() in head
        assert pair in redactor.secrets
    assert "token-1" in redactor.secrets


def test_requests_go_without_or_with_wrong_credentials_when_asked_to() -> None:
    platform = Platform()
    with serving(platform) as url, made(url, Timeline("t"))[0] as api:
        none = api.request("GET", "/x", auth="none")
        wrong = api.request("GET", "/x", auth="wrong")
    assert [bearer(request) for request in platform.requests] == ["", WRONG]
    assert platform.token_requests == []
    assert (none.about["auth"], wrong.about["auth"]) == ("none", "wrong")


def test_a_token_can_be_altered_and_the_secret_be_shown_by_another_scheme() -> None:
    platform, redactor = Platform(), Redactor()
    with serving(platform) as url, made(url, Timeline("t"), redactor)[0] as api:
        api.request("GET", "/x", auth="altered")
        api.request("GET", "/x", auth="other")
    shown = [bearer(request) for request in platform.requests]
    assert shown == [altered("token-1"), base64.b64encode(b"me:s3cret-of-mine").decode()]
    assert b"Authorization: Basic" in platform.requests[1]
    assert set(shown) <= redactor.secrets


def test_an_altered_jwt_says_what_it_said_under_another_signature() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLTMyLWJ5dGVz"
    said, _, signature = altered(token).rpartition(".")
    assert said == token.rpartition(".")[0]
    assert base64.urlsafe_b64decode(signature) != base64.urlsafe_b64decode(token.rpartition(".")[2])


@pytest.mark.parametrize("scheme", ["basic", "bearer", "sigv4"])
@pytest.mark.parametrize("path", ["/d/hangupcall", "/d/promptfile/a b%2Fc.wav?x=1&a=%C3%A4", "/d/hangupcalljwt"])
def test_mediaservice_is_opened_by_what_the_target_says_and_by_nothing_else(scheme: Scheme, path: str) -> None:
    access = Access(scheme)
    asked: list[bool] = []

    def platform(connection: Any, over: threading.Event) -> None:
        while not over.is_set() and (request := read_request(connection)):
            head, _, body = request.partition(b"\r\n\r\n")
            method, target, _ = head.decode().split("\r\n")[0].split(" ")
            lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
            headers = {name.lower(): value for name, value in lines}
            place, _, query = target.partition("?")
            asked.append(access.admits(method, place, query, headers, body, place.endswith("jwt")))
            connection.sendall(answer())

    with serving(platform) as url:
        target = MediaserviceTarget.model_validate({"base_url": url, "domain": "d", **access.target()})
        credentials = credentials_for(target, Redactor())
        with HttpDriver("mediaservice", target, credentials, Timeline("t"), timing=Timing(answer=1)) as api:
            for auth in ("valid", *credentials.refusals):
                api.request("POST", path, body=Body.json({"a": "ä"}), auth=auth)
    assert asked == [True] + [False] * len(credentials.refusals)
    assert {"none", "wrong"} <= set(credentials.refusals)


def test_a_token_that_ran_out_is_renewed_once_and_the_refusal_is_not_held_against_anyone() -> None:
    platform, timeline = Platform(good={"token-2"}), Timeline("t")
    with serving(platform) as url, made(url, timeline)[0] as api:
        exchange = api.request("GET", "/x", about={"expect": "success"})
    assert exchange.response is not None
    assert exchange.response.status == 200
    refused = timeline.of(HttpExchange)[1]
    assert refused.response is not None
    assert refused.response.status == 401
    assert refused.about == {"auth": "expired"}
    assert exchange.about == {"auth": "valid", "expect": "success"}


def test_a_target_that_refuses_fresh_tokens_too_is_believed() -> None:
    platform, timeline = Platform(good=set()), Timeline("t")
    with serving(platform) as url, made(url, timeline)[0] as api:
        exchange = api.request("GET", "/x", about={"expect": "success"})
    assert exchange.response is not None
    assert exchange.response.status == 401
    assert exchange.about == {"auth": "valid", "expect": "success"}
    assert (len(platform.token_requests), len(platform.requests)) == (2, 2)


def test_a_refusal_of_wrong_credentials_renews_nothing() -> None:
    platform = Platform(good=set())
    with serving(platform) as url, made(url, Timeline("t"))[0] as api:
        api.request("GET", "/x", auth="wrong")
        api.request("GET", "/x", auth="none")
    assert (len(platform.token_requests), len(platform.requests)) == (0, 2)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "207 Multi-Status"])
def test_a_token_counts_whatever_the_success_is_called(status: str) -> None:
    given = token("token-1").replace(b"200 OK", status.encode(), 1)
    with serving(Platform([given])) as url, made(url, Timeline("t"))[0] as api:
        assert api.request("GET", "/x").response is not None


@pytest.mark.parametrize("lifetime", ["0", "-5", "nan", "inf", "soon", None, [], {}, 10**400])
def test_an_odd_lifetime_does_not_ask_for_a_token_each_time(lifetime: Any) -> None:
    platform = Platform([token("token-1", expires_in=lifetime)])
    with serving(platform) as url, made(url, Timeline("t"))[0] as api:
        for _ in range(3):
            assert api.request("GET", "/x").response is not None
    assert len(platform.token_requests) == 1


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(answer("401 Unauthorized"), id="refused"),
        pytest.param(answer("503 Out", b""), id="out of service"),
        pytest.param(answer(body=b"{}"), id="no token"),
        pytest.param(answer(body=b'{"access_token": ""}'), id="empty token"),
        pytest.param(answer(body=b'{"access_token": 5}'), id="token no string"),
        pytest.param(answer(body=b'["access_token"]'), id="a list"),
        pytest.param(answer(body=b"<html>"), id="html"),
        pytest.param(answer(body=b"[" * 100_000), id="deep"),
        pytest.param(answer(body=b"\xff\xfe"), id="no text"),
    ],
)
def test_without_a_token_nothing_is_sent_and_the_answer_is_taken_for_no_other(given: bytes) -> None:
    platform, timeline = Platform([given]), Timeline("t")
    with serving(platform) as url, made(url, timeline)[0] as api:
        exchange = api.request("GET", "/x", about={"expect": "success"})
    assert exchange.response is None
    assert (exchange.failure or "").startswith("credentials: ")
    assert exchange.about["operation"] == "getAccessToken"
    assert platform.requests == []
    recorded = timeline.of(HttpExchange)[0]
    assert recorded.response is not None
    assert recorded.seq == exchange.seq


def closes(connection: Any, over: threading.Event) -> None:
    del connection, over


@pytest.mark.parametrize("behaviour", [closes, answering(b"garbage\r\n\r\n", close=True)])
def test_a_token_service_that_cannot_be_reached_is_a_failure_of_its_own(behaviour: Behaviour) -> None:
    with serving(behaviour) as url, made(url, Timeline("t"))[0] as api:
        exchange = api.request("GET", "/x")
    assert exchange.response is None
    assert (exchange.failure or "").startswith("protocol: ")


def test_a_token_with_a_line_end_in_it_injects_nothing() -> None:
    platform = Platform([token("a\r\nX-Injected: 1")])
    with serving(platform) as url, made(url, Timeline("t"))[0] as api:
        exchange = api.request("GET", "/x")
    assert exchange.response is None
    assert platform.requests == []


def test_a_wrong_secret_can_be_tried_and_is_marked_as_such() -> None:
    platform, timeline = Platform(), Timeline("t")
    with serving(platform) as url:
        api, credentials = made(url, timeline)
        with api:
            exchange = credentials.request_token(api, secret="another-one")
    assert exchange.about["auth"] == "wrong"
    assert b"another-one" in platform.token_requests[0]


def test_no_credentials_means_none() -> None:
    with serving(answering(answer())) as url:
        api, _ = made(url, Timeline("t"))
        api.credentials = NoCredentials()
        with api:
            exchange = api.request("GET", "/x", auth="wrong")
    assert exchange.request.header("authorization") is None


def mediaservice(url: str, timeline: Timeline, **keys: Any) -> HttpDriver:
    target = MediaserviceTarget(base_url=url, domain="d.example", **keys)
    return HttpDriver("mediaservice", target, credentials_for(target, Redactor()), timeline, timing=Timing(answer=2.0))


def authorization(request: bytes) -> str:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return next((line.partition(": ")[2] for line in lines if line.lower().startswith("authorization:")), "")


BASIC = {"auth": "basic", "username": "u", "password": "pppp"}
SIGNED = {"auth": "sigv4", "access_key": "AKIAEXAMPLE", "secret_key": "very-secret", "region": "eu-north-1"}


@pytest.mark.parametrize(
    ("keys", "path", "expected"),
    [
        ({}, "/d/hangupcall", ""),
        ({"auth": "bearer", "token": "t-1234"}, "/d/hangupcall", "Bearer t-1234"),
        (BASIC, "/d/hangupcall", "Basic " + base64.b64encode(b"u:pppp").decode()),
        (BASIC | {"token": "t-1234"}, "/d/hangupcall", "Basic " + base64.b64encode(b"u:pppp").decode()),
        (BASIC | {"token": "t-1234"}, "/d/hangupcalljwt", "Bearer t-1234"),
        (SIGNED, "/d/hangupcall", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/"),
        (SIGNED | {"token": "t-1234"}, "/d/hangupcalljwt", "Bearer t-1234"),
        ({"token": "t-1234"}, "/d/hangupcalljwt", "Bearer t-1234"),
    ],
)
def test_mediaservice_shows_what_the_target_file_says_and_its_twins_a_token(
    keys: dict[str, str], path: str, expected: str
) -> None:
    seen: list[bytes] = []
    with serving(answering(answer(), seen=seen)) as url, mediaservice(url, Timeline("t"), **keys) as api:
        api.request("POST", path)
        api.request("POST", path, auth="none")
        api.request("POST", path, auth="wrong")
    right, none, wrong = map(authorization, seen)
    assert right.startswith(expected)
    assert bool(right) == bool(expected)
    assert none == ""
    assert wrong != right or not expected


def test_a_twin_without_a_token_is_not_sent_and_says_why() -> None:
    seen: list[bytes] = []
    with serving(answering(answer(), seen=seen)) as url, mediaservice(url, Timeline("t"), **BASIC) as api:
        exchange = api.request("POST", "/d/hangupcalljwt")
    assert exchange.response is None
    assert (exchange.failure or "").startswith("credentials: the target file gives no token")
    assert seen == []


def test_a_signature_is_that_of_the_public_example() -> None:
    """The case `get-vanilla` of the public test suite for signatures."""
    signer = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service")
    made_at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    headers = signer.headers("GET", "https://example.amazonaws.com/", b"", now=made_at)
    assert headers["X-Amz-Date"] == "20150830T123600Z"
    assert headers["Authorization"].endswith("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")


def test_a_signature_covers_query_path_and_port() -> None:
    signer = Signer("A", "secret", "r")
    made_at = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    urls = [
        "http://h:81/a?b=1&a=2",
        "http://h:81/a?a=2&b=1",
        "http://h/a?a=2&b=1",
        "http://h:80/a?b=1&a=2",
        "http://h/b",
    ]
    first, same, other, usual, path = (signer.headers("GET", url, b"", now=made_at)["Authorization"] for url in urls)
    assert first == same
    assert other == usual
    assert len({first, other, path}) == 3
