"""Digest authentication, both sides, and the registrar behind it."""

from __future__ import annotations

import pytest

from harness.reference.sip import Address, Credentials, DigestAuthenticator, Refused, Registrar, Request, parse
from harness.reference.sip.digest import authorization, digest_response, parse_digest
from harness.reference.sip.message import Response, response_to

from .support import request_text

HERE = Address("127.0.0.1", 5060)
ALICE = Credentials("alice", "secret")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def lookup(username: str, realm: str) -> str | None:
    return "secret" if (username, realm) == ("alice", "home") else None


def request(*extra: str, seq: int = 1, call_id: str = "c", to: str = "<sip:alice@home>") -> Request:
    parsed = parse(request_text("REGISTER", *extra, uri="sip:home", seq=seq, call_id=call_id, to=to).encode())
    assert isinstance(parsed, Request)
    return parsed


def challenge_of(authenticator: DigestAuthenticator, stale: bool = False) -> Response:
    refused = authenticator.challenge(stale)
    return response_to(request(), refused.code, headers=refused.headers)


def proof(authenticator: DigestAuthenticator, credentials: Credentials = ALICE) -> str:
    ((name, value),) = authorization(challenge_of(authenticator), credentials, "REGISTER", "sip:home")
    return f"{name}: {value}"


def test_the_example_of_rfc_2617_comes_out() -> None:
    arguments = ("Mufasa", "testrealm@host.com", "Circle Of Life", "GET", "/dir/index.html")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    digest = digest_response(*arguments, nonce, "auth", "00000001", "0a4f113b")
    assert digest == "6629fae49393a05397450978507c4ef1"
    assert digest_response(*arguments, nonce) == "670fd8c2df070c60b045671b8b24ff02"


@pytest.mark.parametrize("qop", ["auth", None])
@pytest.mark.parametrize("proxy", [False, True])
def test_a_right_password_is_accepted_and_a_wrong_one_is_not(qop: str | None, proxy: bool) -> None:
    authenticator = DigestAuthenticator("home", lookup, qop=qop, proxy=proxy)
    assert authenticator.require(request(proof(authenticator))) == "alice"
    for wrong in (Credentials("alice", "no"), Credentials("bob", "secret")):
        with pytest.raises(Refused) as caught:
            authenticator.require(request(proof(authenticator, wrong)))
        assert caught.value.code == (407 if proxy else 401)
        assert "stale" not in caught.value.headers[0][1]


def test_without_credentials_there_is_a_challenge() -> None:
    with pytest.raises(Refused) as caught:
        DigestAuthenticator("home", lookup).require(request())
    name, value = caught.value.headers[0]
    members = parse_digest(value)
    assert name == "WWW-Authenticate"
    assert members is not None
    assert (members["realm"], members["qop"], members["algorithm"]) == ("home", "auth", "MD5")


def test_an_old_nonce_and_a_replay_are_stale() -> None:
    clock = Clock()
    authenticator = DigestAuthenticator("home", lookup, nonce_lifetime=10, clock=clock)
    line = proof(authenticator)
    assert authenticator.check(request(line)).username == "alice"
    assert authenticator.check(request(line)).stale
    fresh = proof(authenticator)
    clock.now += 11
    verdict = authenticator.check(request(fresh))
    assert (verdict.username, verdict.stale) == (None, True)


def test_a_nonce_that_we_never_gave_is_refused() -> None:
    ours, other = DigestAuthenticator("home", lookup), DigestAuthenticator("home", lookup)
    assert ours.check(request(proof(other))).username is None
    for nonce in ("", "x", "-", "1-2-3", "\u00fc-\u00fc"):
        line = (
            f'Authorization: Digest username="alice", realm="home", nonce="{nonce}", uri="sip:home", response="\u00fc"'
        )
        assert ours.check(request(line)).username is None


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Basic YWxpY2U6c2VjcmV0",
        "Authorization: Digest",
        'Authorization: Digest realm="home", algorithm=SHA-256, nonce="x"',
        'Authorization: Digest realm="home", qop=auth-int, nonce="x"',
        'Authorization: Digest realm="elsewhere", nonce="x"',
    ],
)
def test_other_credentials_are_no_credentials(line: str) -> None:
    assert DigestAuthenticator("home", lookup).check(request(line)).username is None


def test_challenges_that_we_cannot_answer_get_no_answer() -> None:
    for value in (
        "Basic realm=x",
        'Digest realm="x", nonce="1", algorithm=SHA-256',
        'Digest realm="x", nonce="1", qop="auth-int"',
    ):
        response = response_to(request(), 401, headers=[("WWW-Authenticate", value)])
        assert authorization(response, ALICE, "REGISTER", "sip:home") == []


def test_credentials_do_not_show_the_password() -> None:
    assert "secret" not in repr(ALICE)


def contacts(response: Response) -> list[str]:
    return response.headers.rows("Contact")


def test_bindings_are_kept_listed_refreshed_and_removed() -> None:
    clock = Clock()
    registrar = Registrar(None, clock=clock)
    one = registrar.handle(request("Contact: <sip:alice@127.0.0.1:1>;expires=60"), HERE)
    assert contacts(one) == ["<sip:alice@127.0.0.1:1>;expires=60"]
    registrar.handle(request("Contact: <sip:alice@127.0.0.1:2>", "Expires: 30", seq=2), HERE)
    clock.now += 10
    assert contacts(registrar.handle(request(seq=3), HERE)) == [
        "<sip:alice@127.0.0.1:2>;expires=20",
        "<sip:alice@127.0.0.1:1>;expires=50",
    ]
    registrar.handle(request("Contact: <sip:alice@127.0.0.1:1>;expires=0", seq=4), HERE)
    (left,) = registrar.bindings("alice@HOME")
    assert (left.contact.parsed.port, left.source, len(registrar)) == (2, HERE, 1)
    assert registrar.bindings("alice") == [left]
    clock.now += 21
    assert len(registrar) == 0


def test_a_star_removes_all_and_only_with_expires_0() -> None:
    registrar = Registrar(None)
    registrar.handle(request("Contact: <sip:a@h:1>, <sip:a@h:2>"), HERE)
    with pytest.raises(Refused) as caught:
        registrar.handle(request("Contact: *", seq=2), HERE)
    assert caught.value.code == 400
    assert len(registrar) == 2
    assert contacts(registrar.handle(request("Contact: *", "Expires: 0", seq=3), HERE)) == []
    assert len(registrar) == 0


def test_an_old_request_of_the_same_call_changes_nothing() -> None:
    registrar = Registrar(None)
    registrar.handle(request("Contact: <sip:a@h>", seq=5), HERE)
    with pytest.raises(Refused):
        registrar.handle(request("Contact: <sip:a@h>;expires=0", seq=4), HERE)
    registrar.handle(request("Contact: <sip:a@h>;expires=0", seq=1, call_id="another"), HERE)
    assert len(registrar) == 0


def test_too_brief_is_423_and_nonsense_is_the_default() -> None:
    registrar = Registrar(None, min_expires=60)
    with pytest.raises(Refused) as caught:
        registrar.handle(request("Contact: <sip:a@h>;expires=5"), HERE)
    assert (caught.value.code, caught.value.headers) == (423, [("Min-Expires", "60")])
    response = registrar.handle(request("Contact: <sip:a@h>;expires=soon"), HERE)
    assert contacts(response) == ["<sip:a@h>;expires=3600"]


def test_nobody_registers_for_another_or_elsewhere() -> None:
    authenticator = DigestAuthenticator("home", lookup)
    registrar = Registrar(authenticator, domains=lambda host: host == "home")
    for to, code in (("<sip:bob@home>", 403), ("<sip:alice@away>", 404), ("<sip:home>", 404)):
        with pytest.raises(Refused) as caught:
            registrar.handle(request(proof(authenticator), "Contact: <sip:a@h>", to=to), HERE)
        assert caught.value.code == code
    assert len(registrar) == 0


def test_contacts_and_users_are_bounded_and_accounts_can_go() -> None:
    registrar = Registrar(None, max_contacts=3, max_users=1)
    for port in range(10):
        registrar.handle(request(f"Contact: <sip:a@h:{port + 1}>", seq=port + 1), HERE)
    assert [b.contact.parsed.port for b in registrar.bindings("alice@home")] == [10, 9, 8]
    with pytest.raises(Refused) as caught:
        registrar.handle(request("Contact: <sip:b@h>", to="<sip:bob@home>"), HERE)
    assert caught.value.code == 503
    registrar.remove("alice")
    assert len(registrar) == 0
