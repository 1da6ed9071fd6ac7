"""A Callable client with a token, and an application's server of hooks; used by the tests beside this file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Json = dict[str, Any]

TRUNK: Json = {
    "ip": "127.0.0.1",
    "port": 5099,
    "vendor": "generic",
    "callerFormat": "national",
    "calledFormat": "national",
    "description": "Head office",
    "zone": "eu-west-1",
    "countryCode": "GB",
}
HOOK: Json = {
    "app": "event.generic",
    "url": "http://127.0.0.1:9/events?x=1",
    "authType": "DISABLED",
    "method": "POST",
    "priority": 10,
}
GATEWAY: Json = {
    "ringTime": 20,
    "maxCallTime": 3600,
    "record": False,
    "trunks": [],
    "onBusy": "HANGUP",
    "onNoAnswer": "HANGUP",
    "countryCode": "GB",
    "onFail": "HANGUP",
    "present": "pass-through",
    "onComplete": "HANGUP",
}


class Client:
    """Requests below the base path with an access token; paths are below the account unless they begin with `//`."""

    def __init__(self, table: Json) -> None:
        self.table = table
        self.account = table["account"]
        self.http = httpx.Client(base_url=table["base_url"], timeout=10, trust_env=False)
        self.tokens: Json = self.log_in().json()
        self.http.headers["authorization"] = f"Bearer {self.tokens.get('access_token', 'none')}"

    def log_in(self, **changes: str) -> httpx.Response:
        form = {"username": self.table["username"], "password": self.table["password"]} | changes
        return self.http.post("/oauth/authorize", data=form)

    def __call__(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        full = path[1:] if path.startswith("//") else f"/account/{self.account}{path}"
        return self.http.request(method, full, json=body, **options)

    def create(self, kind: str, values: Json) -> str:
        answer = self("POST", f"/{kind}", values)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def update(self, kind: str, item: str, values: Json) -> None:
        answer = self("PUT", f"/{kind}/{item}", values)
        assert (answer.status_code, answer.content) == (204, b""), answer.text

    def trunk(self, address: str) -> str:
        ip, _, port = address.rpartition(":")
        return self.create("trunk", TRUNK | {"ip": ip, "port": int(port)})

    def gateway(self, extension: str, *trunks: str, **settings: Any) -> str:
        values = {"type": "SIP_GATEWAY", "name": "Gateway", "extension": extension}
        return self.create("device", values | {"sipGateway": GATEWAY | {"trunks": list(trunks)} | settings})

    def route_start(self, ddi: str, connect_to: str) -> str:
        values = {"type": "ROUTE_START", "name": "Start", "extension": "600"}
        return self.create("device", values | {"startRoute": {"ddis": [ddi], "connectTo": connect_to}})

    def hook(self, url: str, app: str = "event.generic", **values: Any) -> str:
        return self.create("hook", HOOK | {"url": url, "app": app} | values)

    def call(self, target: Json, *verbs: Json, **values: Any) -> str:
        answer = self("POST", "/channels/voice", {"target": target, "verbs": list(verbs)} | values)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def call_extension(self, extension: str, *verbs: Json, **values: Any) -> str:
        return self.call({"extension": {"extension": extension}}, *verbs, **values)

    def ddis(self) -> list[Json]:
        listed: list[Json] = self("GET", "/ddi").json()
        return listed

    def set_carrier(self, address: str) -> None:
        base = self.table["base_url"].removesuffix("/api/v1")
        assert self.http.put(f"{base}/_platform/pstn", json={"address": address}).status_code == 204

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.http.close()


def say(*words: str) -> Json:
    return {"say": {"text": list(words)}}


def dial(number: str, **values: Any) -> Json:
    return {"dial": {"targets": [{"phoneNumber": {"number": number}}]} | values}


HANGUP: Json = {"hangup": {"reason": "call-complete"}}


@dataclass(frozen=True)
class Heard:
    """One request to the application."""

    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Json:
        parsed: Json = json.loads(self.body)
        return parsed


class Application:
    """An application's HTTP server: keeps every request; answers what `answers` has for the path, else an empty list."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.silent: set[str] = set()
        self._changed = threading.Condition()
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                with outer._changed:
                    outer.heard.append(Heard(self.command, self.path, body))
                    outer._changed.notify_all()
                path = self.path.partition("?")[0]
                if path in outer.silent:
                    outer._over.wait(30)
                    return
                status, said = outer.answers.get(path, (200, b"[]"))
                self.send_response(status)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def do_GET(self) -> None:
                self.do_POST()

            def do_PUT(self) -> None:
                self.do_POST()

            def log_message(self, *_arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def says(self, path: str, *verbs: Json) -> str:
        """Answer these verbs at the path; its URL."""
        self.answers[path] = (200, json.dumps(list(verbs)).encode())
        return self.url + path

    def wait(self, match: Callable[[Heard], bool], timeout: float = 5.0) -> Heard:
        """The first request that matches, once there is one."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                for one in self.heard:
                    if match(one):
                        return one
                left = until - time.monotonic()
                assert left > 0, f"not heard within {timeout} s; heard {self.heard}"
                self._changed.wait(left)

    def wait_event(self, event: str, path: str = "/events", timeout: float = 5.0) -> Heard:
        return self.wait(lambda one: one.path.startswith(path) and one.json.get("event") == event, timeout)

    def events(self, path: str = "/events") -> list[str]:
        return [one.json["event"] for one in self.heard if one.path.startswith(path)]

    def __enter__(self) -> Application:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
