"""A small system of a user's own: the three files of a contract, whole, to be broken in one place by a test."""

from __future__ import annotations

from pathlib import Path

CLAUSES = """\
system: toy
title: Toy phones
prefix: TY
documents:
  TD: toy.txt
capabilities:
  sip: A SIP address is given
clauses:
  Calls:
    TY-ring-rings:
      text: A ring makes the phone ring
      source: TD Ringing
      level: documented
      surface: sip
      capability: sip
    TY-told-once:
      text: The application is told once
      source: TD Ringing; TD Telling
      level: inferred
      surface: callback
ledger:
  - topic: How often it rings
    says: ['TD Ringing: once', 'TD Telling: twice']
    accepts: Either
    clauses: [TY-told-once]
"""

OPENAPI = """\
openapi: 3.1.0
info: {title: Toy, version: '1'}
x-clause: {source: TD Ringing}
paths:
  /rings:
    post:
      operationId: ring
      tags: [Calls]
      summary: Ring a phone
      responses:
        '201':
          description: It rings
          headers:
            Location: {description: Where the ring is, required: true, schema: {type: string}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Ring'}
        '404': {description: No such phone}
webhooks:
  told:
    post:
      operationId: told
      tags: [Calls]
      summary: The application is told of a ring
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Ring'}
      responses:
        '200':
          description: Thanks
          content:
            application/json:
              schema:
                type: object
                properties:
                  again: {type: boolean, x-clause: {id: TY-ring-rings}}
components:
  schemas:
    Ring:
      type: object
      x-clause: {source: TD Ringing, area: Calls, inferred: [required]}
      required: [id]
      properties:
        id: {type: string, description: Names the ring}
        phone: {type: string, description: The phone that rings}
"""

SEQUENCES = """\
system: toy
flows:
  ring:
    title: A phone rings and the application is told
    start: ring
    until: again
    events:
      ring:
        kind: http
        match: {operation: ring, status: 2XX}
        keep: {id: response.body.id}
      invite:
        kind: sip
        match: {method: INVITE, direction: in}
      told:
        kind: callback
        match: {operation: told}
        same: {request.body.id: id}
    rules:
      - {expect: invite, exactly: 1, after: ring, within: answer, clause: TY-ring-rings}
      - {order: [ring, [invite, told]], clause: TY-told-once}
"""

FILES = {"clauses.yaml": CLAUSES, "openapi.yaml": OPENAPI, "sequences.yaml": SEQUENCES}


def write_toy(folder: Path, changes: dict[str, tuple[str, str]] | None = None) -> Path:
    """Write the system below `folder`, with the first `old` of a file replaced by `new`; return the system's folder."""
    system = folder / "toy"
    system.mkdir(parents=True)
    for name, text in FILES.items():
        old, new = (changes or {}).get(name, ("", ""))
        assert old in text, f"{name} has no {old!r}"
        (system / name).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return system


def line_of(name: str, words: str) -> int:
    """The line (from 1) at which the words stand in the whole file."""
    return FILES[name][: FILES[name].index(words)].count("\n") + 1
