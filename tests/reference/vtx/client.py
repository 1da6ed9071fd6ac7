"""A VTX API client and a receiver of notifications; used by the tests beside this file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Event = dict[str, Any]


def soon(seconds: float = 60) -> str:
    """An instant that lies ahead, as the documents write it."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Client:
    """Requests below the base path, with login and application of the target table; `changes` replace headers."""

    def __init__(self, table: dict[str, Any], *, with_login: bool = True, **changes: str | None) -> None:
        self.table = table
        headers = {"x-c5-application": table["application"], "content-type": "application/json"}
        for name, value in changes.items():
            headers[name.replace("_", "-")] = value or ""
        self.http = httpx.Client(
            base_url=table["base_url"],
            auth=(table["username"], table["password"]) if with_login else None,
            headers={name: value for name, value in headers.items() if value},
            timeout=10,
            trust_env=False,
        )

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, path, **options)

    def subscribe(self, url: str, *user_ids: int, seconds: float = 60) -> dict[str, Any]:
        answer = self("POST", "/v1/subscriptions", json=subscription(url, *user_ids, seconds=seconds))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()["subscription"]
        return made

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self("GET", "/v1/subscriptions").json()["subscriptions"]
        return found

    def delete(self, made: dict[str, Any]) -> httpx.Response:
        return self("DELETE", f"/v1/subscriptions/{made['id']}")

    def delete_all(self) -> None:
        for made in self.listed():
            self.delete(made)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.http.close()


def subscription(url: str, *user_ids: int, seconds: float = 60) -> dict[str, Any]:
    """The body that asks for a subscription."""
    return {
        "expires": soon(seconds),
        "notificationUrl": url,
        "resourceType": "CALL_LOG",
        "userIds": list(user_ids),
    }


class Receiver:
    """Takes pushes. `statuses` are its next answers, then 200; `delay` seconds pass before each; `pushes` is what came.

    A push is `{path, type, body, at, status}`; `at` is its time.
    """

    def __init__(self) -> None:
        self.pushes: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.delay = 0.0
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with outer.changed:
                    status = outer.statuses.pop(0) if outer.statuses else 200
                    push = {"path": self.path, "type": self.headers.get("content-type"), "status": status}
                    outer.pushes.append(push | {"body": json.loads(body), "at": datetime.now(UTC)})
                    outer.changed.notify_all()
                    if outer.delay:
                        outer.changed.wait_for(lambda: outer.delay == 0, outer.delay)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def url(self, path: str = "/calls") -> str:
        return self.base + path

    def events(self, made: dict[str, Any] | None = None) -> list[Event]:
        """The events of pushes that were taken, of one subscription or of all."""
        with self.changed:
            return [
                event
                for push in self.pushes
                if push["status"] < 500 and (made is None or push["body"]["subscriptionId"] == made["id"])
                for event in push["body"]["callLogEvents"]
            ]

    def logs(self, made: dict[str, Any] | None = None) -> list[Event]:
        return [event["callLog"] for event in self.events(made)]

    def wait(self, enough: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait until `enough`; fails with what had come when the time is over."""
        with self.changed:
            assert self.changed.wait_for(enough, seconds), f"not within {seconds} s: {self.pushes}"

    def wait_events(self, count: int, made: dict[str, Any] | None = None) -> list[Event]:
        """Wait until there are `count` events, and see that there are no more."""
        self.wait(lambda: len(self.events(made)) >= count)
        found = self.events(made)
        assert len(found) == count, found
        return found

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_raised: object) -> None:
        with self.changed:
            self.delay = 0
            self.changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def wait_until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Look again and again; fails when the time is over."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        pause.wait(0.02)
