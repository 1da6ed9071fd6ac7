"""An Apidaze client with a token, and a server of external scripts; used by the tests beside this file."""

from __future__ import annotations

import io
import threading
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

SCRIPT = b"<document><work><answer/><speak>Hello</speak><hangup/></work></document>"


class Client:
    """Requests below the base path, with the token of the normal or of the limited application."""

    def __init__(self, table: dict[str, Any], *, limited: bool = False) -> None:
        self.table = table
        self.http = httpx.Client(base_url=table["base_url"], timeout=10, trust_env=False)
        prefix = "limited_" if limited else ""
        answer = self.http.post(
            table["token_url"],
            data={
                "grant_type": "client_credentials",
                "client_id": table[prefix + "client_id"],
                "client_secret": table[prefix + "client_secret"],
            },
        )
        assert answer.status_code == 200, answer.text
        self.token_answer: dict[str, Any] = answer.json()
        self.http.headers["authorization"] = f"Bearer {self.token_answer.get('access_token', 'none')}"

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.http.request(method, path, **options)

    def account(self, username: str, **values: str) -> dict[str, Any]:
        answer = self("POST", "/sipaccounts", data={"username": username, **values})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def script(self, url: str, **values: str) -> dict[str, Any]:
        answer = self("POST", "/externalscripts", data={"url": url, **values})
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.http.close()


class ScriptServer:
    """Serves what `pages` holds by path (status, body), else `SCRIPT`, and lists the targets requested."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.pages: dict[str, tuple[int, bytes]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                status, body = outer.pages.get(self.path.partition("?")[0], (200, SCRIPT))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", body.decode())
                self.send_header("content-length", str(len(body)))
                self.send_header("content-type", "text/xml")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> ScriptServer:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def wav(seconds: float) -> bytes:
    """A mono wav of 8,000 16-bit samples a second with a rising ramp."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join((n * 7 % 20000).to_bytes(2, "little") for n in range(int(8000 * seconds))))
    return file.getvalue()


def script(*verbs: str) -> bytes:
    """An external script of these instructions."""
    return f"<document><work>{''.join(verbs)}</work></document>".encode()
