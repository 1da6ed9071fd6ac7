"""Registration and calls, with SIPp as the SIP client."""

from __future__ import annotations

import socket
import time

import pytest

from tests.reference.apidaze.client import SCRIPT, Client, ScriptServer, script
from tests.reference.apidaze.sipp import MakePhone, needs_sipp
from tests.reference.platform_process import Platform

pytestmark = needs_sipp


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_an_account_registers_with_the_listed_password_and_status_shows_it(
    client: Client, phone: MakePhone, transport: str
) -> None:
    account = client.account("alice")
    status = f"/sipaccounts/{account['id']}/status"
    registered = phone(account, transport=transport, domain=client("GET", status).json()["domain"])
    registered.register()
    shown = client("GET", status).json()
    assert (shown["status"], shown["registrations"]) == ("registered", 1)
    registered.register(expires=0)
    assert client("GET", status).json()["status"] == "unregistered"


def test_a_wrong_password_an_unknown_user_and_another_domain_are_refused(client: Client, phone: MakePhone) -> None:
    account = client.account("alice")
    phone(account, password="wrong").register(401)
    phone(account, username="nobody").register(401)
    phone(account, domain="elsewhere.example").register(404)
    assert client("GET", f"/sipaccounts/{account['id']}/status").json()["status"] == "unregistered"


def test_one_account_cannot_register_another(client: Client, phone: MakePhone) -> None:
    alice, bob = client.account("alice"), client.account("bob")
    phone(bob, login="alice", password=alice["sip"]["password"]).register(403)
    assert client("GET", f"/sipaccounts/{bob['id']}/status").json()["status"] == "unregistered"


def test_a_deleted_account_is_unregistered_and_refused(client: Client, phone: MakePhone) -> None:
    account = client.account("alice")
    phone(account).register()
    client("DELETE", f"/sipaccounts/{account['id']}")
    phone(account).register(401)
    again = client.account("alice")
    assert client("GET", f"/sipaccounts/{again['id']}/status").json()["status"] == "unregistered"


@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_a_call_fetches_the_script_and_does_what_it_says(
    client: Client, phone: MakePhone, scripts: ScriptServer, transport: str
) -> None:
    client.script(scripts.url + "/main?x=1%2F2")
    phone(client.account("alice"), transport=transport).call()
    assert scripts.requests == ["/main?x=1%2F2"]


def test_a_call_runs_the_script_that_was_set_or_changed_last(
    client: Client, phone: MakePhone, scripts: ScriptServer
) -> None:
    caller = phone(client.account("alice"))
    first = client.script(scripts.url + "/first")
    second = client.script(scripts.url + "/second")
    caller.call()
    client("PUT", f"/externalscripts/{first['id']}", data={"url": scripts.url + "/changed"})
    caller.call()
    client("DELETE", f"/externalscripts/{first['id']}")
    caller.call()
    assert scripts.requests == ["/second", "/changed", "/second"]
    client("DELETE", f"/externalscripts/{second['id']}")
    caller.call(404)


def test_the_caller_may_hang_up_first(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    scripts.pages["/long"] = (200, script("<answer/>", "<wait>60</wait>"))
    client.script(scripts.url + "/long")
    phone(client.account("alice")).call(then="bye-from-caller")


def test_the_caller_may_cancel_while_the_script_is_fetched(client: Client, phone: MakePhone) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client.script(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        began = time.monotonic()
        phone(client.account("alice")).cancelled_call()
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ((200, script("<hangup/>", "<answer/>")), 603),
        ((200, script()), 603),
        ((200, script("<unheard-of/>")), 603),
        ((200, b"not a script"), 500),
        ((500, SCRIPT), 503),
        ((404, SCRIPT), 503),
    ],
)
def test_a_call_that_the_script_never_answers_is_refused(
    client: Client, phone: MakePhone, scripts: ScriptServer, page: tuple[int, bytes], code: int
) -> None:
    scripts.pages["/s"] = page
    client.script(scripts.url + "/s")
    phone(client.account("alice")).call(code)
    assert scripts.requests == ["/s"]


def test_an_unreachable_script_refuses_the_call(client: Client, phone: MakePhone) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        client.script(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        phone(client.account("alice")).call(503)


def test_unknown_elements_are_left_out_and_logged(
    platform: Platform, client: Client, phone: MakePhone, scripts: ScriptServer
) -> None:
    scripts.pages["/odd"] = (200, script("<conference>room</conference>", "<answer/>"))
    client.script(scripts.url + "/odd")
    phone(client.account("alice")).call()
    assert "<conference> is not known here" in platform.log()


def test_a_call_with_a_wrong_password_or_from_a_deleted_account_is_challenged_again(
    client: Client, phone: MakePhone, scripts: ScriptServer
) -> None:
    client.script(scripts.url + "/main")
    account = client.account("alice")
    phone(account, password="wrong").call(407)
    client("DELETE", f"/sipaccounts/{account['id']}")
    phone(account).call(407)
    assert scripts.requests == []
