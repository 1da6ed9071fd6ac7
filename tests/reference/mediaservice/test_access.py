"""The HTTP side as such: pre-flight, credentials of each kind, and requests that make no sense."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from harness.reference.mediaservice.http.operations import JWT_TWINS, TABLES
from tests.reference.mediaservice.bench import Bench, Scenario, inside, run

Against = Callable[[Scenario], None]

PATHS = [
    *TABLES,
    *(f"{name}jwt" for name in JWT_TWINS),
    "promptfile/a.wav",
    "promptfile/a.wav/move",
    "promptfile/a.wav/url",
]


def test_every_operation_has_a_pre_flight_but_the_list(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        for path in PATHS:
            answer = await bench.http.request("OPTIONS", f"/{bench.table['domain']}/{path}")
            assert (answer.status_code, answer.json()) == (200, {}), path
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["access-control-allow-methods"]
            assert answer.headers["access-control-allow-headers"]
        assert (await bench.http.request("OPTIONS", f"/{bench.table['domain']}/promptfile")).status_code == 405

    against(scenario)


BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no JSON": ("POST", "hangupcall", {"content": b"{"}),
    "an array": ("POST", "hangupcall", {"content": b"[]"}),
    "no body": ("POST", "hangupcall", {}),
    "a number for a text": ("POST", "hangupcall", {"json": {"replyId": 5}}),
    "a text for a number": ("POST", "placeivrcall", {"json": {"maxRingTime": "5"}}),
    "a header that is no X- header": ("POST", "placeivrcall", {"json": {"xHeaders": {"Via": "x"}}}),
    "a header with a line break": ("POST", "placeivrcall", {"json": {"xHeaders": {"X-A": "x\r\nVia: y"}}}),
    "an unknown codec": ("POST", "placeremotecall", {"json": {"codec": "OPUS"}}),
    "GSM where it is not listed": ("POST", "answerremotecall", {"json": {"codec": "GSM"}}),
    "a port that is none": ("POST", "answerremotecall", {"json": {"receivePort": 65536}}),
    "another method": ("GET", "hangupcall", {}),
    "an unknown operation": ("POST", "hangupcalls", {"json": {}}),
    "a twin that is none": ("POST", "splitconnectionjwt", {"json": {}}),
    "a bad file name": ("PUT", "promptfile/..%2Fsecret", {"content": b"x"}),
    "deep nesting": ("POST", "hangupcall", {"content": b'{"a":' * 30000}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_request_without_sense_is_refused_with_4xx(against: Against, case: str) -> None:
    method, path, options = BAD[case]

    async def scenario(bench: Bench) -> None:
        answer = await bench.http.request(method, f"/{bench.table['domain']}/{path}", **options)
        assert 400 <= answer.status_code < 500
        assert answer.json()["success"] is False
        assert answer.headers["access-control-allow-origin"] == "*"

    against(scenario)


def test_what_cannot_be_carried_out_has_success_false(against: Against) -> None:
    async def scenario(bench: Bench) -> None:
        for name in TABLES:
            await bench.refused(name)
            await bench.refused(name, replyId="unheard-of")
        assert (await bench.http.post("/elsewhere.example/hangupcall", json={})).status_code == 404

    against(scenario)


def signed(table: dict[str, Any], secret: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """The headers of AWS Signature Version 4, written after its public description."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{table['region']}/execute-api/aws4_request"
    head = f"host:127.0.0.1:80\nx-amz-date:{stamp}\n"
    canonical = f"{method}\n{path}\n\n{head}\nhost;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={table['access_key']}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return {"authorization": f"AWS4-HMAC-SHA256 {credential}", "x-amz-date": stamp, "host": "127.0.0.1:80"}


@pytest.mark.parametrize("scheme", ["basic", "bearer", "sigv4"])
def test_only_valid_credentials_open_the_api(scheme: str) -> None:
    body = b'{"replyId": "x"}'

    async def scenario() -> None:
        async with inside(mediaservice_auth=scheme) as bench:
            table = bench.table
            path = f"/{table['domain']}/hangupcall"
            bearer = {"authorization": f"Bearer {table['token']}"}
            right: dict[str, Any] = {"headers": bearer}
            wrong: dict[str, Any] = {"headers": {"authorization": "Bearer x"}}
            if scheme == "basic":
                right = {"auth": httpx.BasicAuth(table["username"], table["password"])}
                wrong = {"auth": httpx.BasicAuth(table["username"], "x")}
            elif scheme == "sigv4":
                whole = f"/mediaservice{path}"
                right = {"headers": signed(table, table["secret_key"], "POST", whole, body)}
                wrong = {"headers": signed(table, "x", "POST", whole, body)}
            assert "auth" in table["capabilities"]
            assert (await bench.http.post(path, content=body, **right)).status_code == 200
            assert (await bench.http.post(path, content=body, **wrong)).status_code == 401
            assert (await bench.http.post(path, content=body)).status_code == 401
            assert (await bench.http.post(f"{path}jwt", content=body, headers=bearer)).status_code == 200
            assert (await bench.http.post(f"{path}jwt", content=body)).status_code == 401
            assert (await bench.http.request("OPTIONS", path)).status_code == 200

    run(scenario())
