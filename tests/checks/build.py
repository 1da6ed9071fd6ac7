"""Makes timelines of API exchanges in one line each, and sorts findings by verdict; for the tests of the checks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.contract import Contract, load_contract
from harness.timeline import Event, Headers, HttpExchange, HttpRequest, HttpResponse, Timeline
from harness.verdicts import Finding, Verdict

BASE = "http://toy.example/api"
CLAUSES = """\
system: toy
title: Toy phones
prefix: TY
documents: {TD: toy.txt}
rules:
  content-type: TY-rule-type
  content-length: TY-rule-length
  strict-transport-security: TY-rule-hsts
  preflight-allow-origin: TY-rule-origin
  preflight-allow-credentials: TY-rule-credentials
  preflight-allow-headers: TY-rule-headers
  preflight-allow-methods: TY-rule-methods
  preflight-max-age: TY-rule-age
  cors-allow-origin: TY-rule-cors
  cors-other-headers: TY-rule-others
  quota-used-counts: TY-rule-quota
clauses:
  Rules:
"""
RULES = ("type", "length", "hsts", "origin", "credentials", "headers", "methods", "age", "cors", "others", "quota")
OPENAPI = """\
openapi: 3.1.0
info: {title: Toy, version: '1'}
x-clause: {source: TD Ringing}
security: [{token: []}]
paths:
  /token:
    post:
      operationId: token
      tags: [Access]
      summary: Get a token
      security: []
      responses:
        '200':
          description: A token
          content: {application/json: {schema: {type: object}}}
  /rings:
    get:
      operationId: listRings
      tags: [Calls]
      summary: All rings
      responses:
        '200':
          description: They are listed
          headers: {X-Count: {$ref: '#/components/headers/X-Count'}, X-Hint: {$ref: '#/components/headers/X-Hint'}}
          content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Ring'}}}}
        '4XX': {description: Refused, headers: {X-Count: {$ref: '#/components/headers/X-Count'}}}
    post:
      operationId: ring
      tags: [Calls]
      summary: Ring a phone
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/NewRing'}}
          application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/NewRing'}}
      responses:
        '201':
          description: It rings
          content: {application/json: {schema: {$ref: '#/components/schemas/Ring'}}}
        '204': {description: It rings without words}
        default: {description: Anything else}
  /rings/{id}:
    get:
      operationId: getRing
      tags: [Calls]
      summary: One ring
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200':
          description: This ring
          content:
            application/json:
              schema:
                anyOf:
                  - {$ref: '#/components/schemas/Ring'}
                  - {type: array, minItems: 1, items: {$ref: '#/components/schemas/Ring'}}
        '404': {description: No such ring}
  /rings/last:
    get:
      operationId: lastRing
      tags: [Calls]
      summary: The last ring as sound
      responses:
        '200':
          description: Sound
          content: {audio/wav: {schema: {type: string}}}
  /bell:
    delete:
      operationId: removeBell
      tags: [Calls]
      summary: Take the bell away
      responses:
        '204': {description: Gone}
components:
  headers:
    X-Count: {description: How many, required: true, schema: {type: integer, minimum: 0}, x-clause: {area: Headers}}
    X-Hint: {description: A hint, schema: {type: string, enum: [loud, low]}, x-clause: {area: Headers}}
  schemas:
    NewRing:
      type: object
      x-clause: {area: Calls}
      required: [phone]
      properties:
        phone: {type: string, minLength: 1, description: Which phone rings}
        often: {type: string, description: How often it rings}
    Ring:
      type: object
      x-clause: {source: TD Ringing, area: Calls, inferred: [required, enum]}
      required: [id, tone]
      properties:
        id: {type: string, description: Names the ring, x-clause: {documented: [required]}}
        tone: {type: string, enum: [low, high], description: How it sounds}
        phone:
          type: [object, 'null']
          description: The phone that rings
          required: [number]
          properties:
            number: {type: string, pattern: '^[0-9]+$', description: Its number}
        seen: {type: array, items: {type: string, format: date-time}, description: When it was seen}
"""


def toy_contract(folder: Path) -> Contract:
    """A contract with every construct that the checks look at."""
    system = folder / "toy"
    system.mkdir()
    rules = "".join(
        f"    TY-rule-{name}: {{text: The rule of {name}, source: TD Rules, level: documented, surface: http}}\n"
        for name in RULES
    )
    (system / "clauses.yaml").write_text(CLAUSES + rules, encoding="utf-8")
    (system / "openapi.yaml").write_text(OPENAPI, encoding="utf-8")
    return load_contract(system)


def response(status: int, body: Any = None, headers: Mapping[str, str] | Headers = (), **options: Any) -> HttpResponse:
    """An answer; a body that is no bytes becomes JSON with its content type and length."""
    listed = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not isinstance(body, bytes | None):
        body = json.dumps(body).encode()
        listed += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return HttpResponse(status, tuple(listed), body or b"", **options)


def exchange(
    method: str,
    path: str,
    answer: HttpResponse | None,
    *,
    sent: Any = None,
    headers: Headers = (),
    failure: str | None = None,
    at: float = 1.0,
    base: str = BASE,
    **about: str,
) -> HttpExchange:
    """One exchange with the toy system."""
    body, listed = sent or b"", list(headers)
    if sent is not None and not isinstance(sent, bytes):
        body = json.dumps(sent).encode()
        listed.append(("Content-Type", "application/json"))
    request = HttpRequest(method, base + path, tuple(listed), body)
    return HttpExchange(
        at, system="toy", request=request, response=answer, ended=at + 0.5, failure=failure, about=about
    )


def timeline(*events: Event) -> Timeline:
    made = Timeline("t")
    for event in events:
        made.add(event)
    return made


def by_verdict(findings: Iterable[Finding]) -> dict[str, set[str]]:
    """Clauses by verdict, those without the other verdicts left out; each finding is checked for what it must carry."""
    result: dict[str, set[str]] = {}
    for finding in findings:
        result.setdefault(finding.verdict.value, set()).add(finding.clause)
        if finding.verdict is Verdict.FAIL:
            assert finding.message
            assert finding.reproduce.startswith("curl ")
        if finding.verdict is Verdict.INCONC:
            assert finding.reason is not None
        assert finding.at
    return result
