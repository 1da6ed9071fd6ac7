"""A small system of a user's own with a platform behind it that can be told to deviate: whole runs that take seconds.

Each of six lamps is one operation, and its answer's `state` must be `on` or `off`. The tests of the gate run against
it, since what they are about is the same for every system.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema

import harness.report
from tests.e2e.command import Done, ringtrue

NAMES = ("attic", "bath", "cellar", "door", "entry", "floor")
_CLAUSES = """\
system: lamp
title: Lamps
prefix: LA
documents:
  LD: lamp.txt
capabilities:
  dimmer: Lamps can be dimmed
clauses:
  Lamps:
    LA-light: {text: Lamps give light, source: LD Lamps, level: documented, surface: http, untestable: Nobody sees it}
"""
_OPENAPI_HEAD = """\
openapi: 3.1.0
info: {title: Lamps, version: '1'}
x-clause: {level: documented, source: LD Lamps}
paths:
"""
_PATH = """\
  /{name}:
    get:
      operationId: {name}
      tags: [Lamps]
      summary: The state of the lamp in the {name}
      x-clause: {{source: 'LD Lamps', inferred: [status]}}
      responses:
        '200':
          description: Its state
          content:
            application/json:
              schema: {{$ref: '#/components/schemas/{schema}'}}
        '4XX': {{description: Refused}}
"""
_OPENAPI_TAIL = """\
components:
  schemas:
"""
_SCHEMA = """\
    {schema}:
      type: object
      x-clause: {{source: LD Lamps, area: Lamps, level: documented}}
      required: [state]
      properties:
        state: {{type: string, enum: ['on', 'off'], description: State of the lamp in the {name}}}
        age: {{type: integer, description: Hours of the lamp in the {name}, x-clause: {{level: inferred}}}}
"""
TOKEN = "canary-lamp-5e1f"


def write_specs(folder: Path, system: str = "lamp") -> Path:
    """Write the system below `folder`, and give that back for `--specs`; by another name it is another system."""
    paths = "".join(_PATH.format(name=name, schema=name.title()) for name in NAMES)
    schemas = "".join(_SCHEMA.format(name=name, schema=name.title()) for name in NAMES)
    files = {"clauses.yaml": _CLAUSES, "openapi.yaml": _OPENAPI_HEAD + paths + _OPENAPI_TAIL + schemas}
    words = {"Lamp": system.title(), "lamp": system, "LA": system[:2].upper(), "LD": f"{system[0].upper()}D"}
    (folder / system).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        for old, new in words.items():
            text = text.replace(old, new)
        (folder / system / name).write_text(text, encoding="utf-8")
    return folder


@dataclass
class Lamps:
    """The platform. `bodies`: what a lamp answers instead of a healthy state; `gone`: lamps whose requests are not answered.

    `slow`: seconds that an answer takes; `asked`: counts requests by path.
    """

    port: int = 0
    bodies: dict[str, bytes] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    slow: float = 0.0

    def deviate(self, name: str, state: object = "broken") -> None:
        self.bodies[name] = json.dumps({"state": state}).encode()

    def answer(self, path: str) -> tuple[int, bytes] | None:
        name = path.partition("?")[0].strip("/")
        self.asked[name] = self.asked.get(name, 0) + 1
        if not name:
            return 200, json.dumps(NAMES).encode()
        if name not in NAMES:
            return 404, b'{"error": "no such lamp"}'
        threading.Event().wait(self.slow)
        if name in self.gone:
            return None
        return 200, self.bodies.get(name, b'{"state": "on", "age": 3}')


@contextmanager
def lamps() -> Iterator[Lamps]:
    """Serve the platform on loopback."""
    made = Lamps()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = made.answer(self.path)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            if self.command not in ("GET", "HEAD") and status == 200:
                status, body = 405, b'{"error": "read only"}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = do_TRACE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        made.port = server.server_address[1]
        try:
            yield made
        finally:
            server.shutdown()
            thread.join(5)


def run(
    platform: Lamps,
    folder: Path,
    *arguments: str | Path,
    system: str = "lamp",
    environment: dict[str, str] | None = None,
) -> Done:
    """`ringtrue run` against the lamps, in `folder`; by one worker, where a test does not say otherwise."""
    return ringtrue("run", *of(platform, folder, system), *arguments, folder=folder, environment=environment)


def of(platform: Lamps, folder: Path, system: str = "lamp") -> list[str | Path]:
    """The options that lead a run to the lamps."""
    file = folder / f"{system}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    text = f'[{system}]\nbase_url = "http://127.0.0.1:{platform.port}"\ntoken = "{TOKEN}"\n'
    file.write_text(text, encoding="utf-8")
    return ["--target", file, "--specs", write_specs(folder / "specs", system), "--workers", "1"]


def refused(done: Done, *words: str) -> None:
    """Hold a command to having refused what it was given, in words that name it."""
    assert done.code == 2, done
    assert "Traceback" not in done.out + done.err, done
    for word in words:
        assert word in done.err, (word, done)


def keeps_schema(verdicts: dict[str, Any]) -> None:
    """Hold the content of a verdicts.json to its published schema."""
    schema = json.loads(Path(harness.report.__file__).with_name("verdicts.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(verdicts, schema, jsonschema.Draft202012Validator)
