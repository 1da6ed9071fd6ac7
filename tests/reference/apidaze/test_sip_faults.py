"""Each fault of the SIP side shows to a SIP client: what a healthy platform does is not what the faulty one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.reference.faults import FAULTS
from tests.reference.apidaze.client import Client, ScriptServer
from tests.reference.apidaze.promises import PROMISES
from tests.reference.apidaze.sipp import Phone, needs_sipp
from tests.reference.platform_process import Platform

pytestmark = needs_sipp

Probe = Callable[[Client, Callable[..., Phone], ScriptServer], None]


def _wrong_password(client: Client, phone: Callable[..., Phone], _scripts: ScriptServer) -> None:
    phone(client.account("alice"), password="wrong").register(200)


def _no_credentials(client: Client, phone: Callable[..., Phone], _scripts: ScriptServer) -> None:
    phone(client.account("alice")).register_without_credentials(200)


def _right_password(client: Client, phone: Callable[..., Phone], _scripts: ScriptServer) -> None:
    phone(client.account("alice")).register(401)


def _deleted(client: Client, phone: Callable[..., Phone], _scripts: ScriptServer) -> None:
    account = client.account("alice")
    client("DELETE", f"/sipaccounts/{account['id']}")
    phone(account).register(200)


def _domain(client: Client, phone: Callable[..., Phone], _scripts: ScriptServer) -> None:
    account = client.account("alice")
    domain = client("GET", f"/sipaccounts/{account['id']}/status").json()["domain"]
    phone(account, domain=domain).register(404)


def _stale(client: Client, phone: Callable[..., Phone], scripts: ScriptServer) -> None:
    created = client.script(scripts.url + "/first")
    client("PUT", f"/externalscripts/{created['id']}", data={"url": scripts.url + "/changed"})
    phone(client.account("alice")).call()
    assert scripts.requests == ["/first"]


def _not_fetched(client: Client, phone: Callable[..., Phone], scripts: ScriptServer) -> None:
    client.script(scripts.url + "/main")
    phone(client.account("alice")).call()
    assert scripts.requests == []


DEVIATIONS: dict[str, Probe] = {
    "apidaze-digest-unchecked": _wrong_password,
    "apidaze-no-challenge": _no_credentials,
    "apidaze-register-refused": _right_password,
    "apidaze-deleted-still-registers": _deleted,
    "apidaze-status-wrong-domain": _domain,
    "apidaze-stale-script": _stale,
    "apidaze-script-not-fetched": _not_fetched,
}


def _deviates(client: Client, fault: str, folder: Path, address: str) -> None:
    def phone(account: dict[str, Any], **changes: str) -> Phone:
        return Phone(**{"address": address, "folder": folder} | account["sip"] | changes)

    with ScriptServer() as scripts:
        DEVIATIONS[fault](client, phone, scripts)


@pytest.mark.parametrize("fault", DEVIATIONS)
def test_a_fault_shows_to_a_sip_client(fault: str, tmp_path: Path) -> None:
    with Platform("--system", "apidaze", "--fault", fault) as faulty, Client(faulty.apidaze) as client:
        _deviates(client, fault, tmp_path, faulty.apidaze["sip"]["address"])


@pytest.mark.parametrize("fault", DEVIATIONS)
def test_a_healthy_platform_does_not_deviate(fault: str, platform: Platform, client: Client, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        _deviates(client, fault, tmp_path, platform.apidaze["sip"]["address"])


def test_every_apidaze_fault_is_tested_here_or_over_http() -> None:
    catalogue = {fault.id for fault in FAULTS.values() if fault.system == "apidaze"}
    assert catalogue == set(DEVIATIONS) | set(PROMISES)
