"""Reads the VTX wiki page: curl lines, their bodies and answers, the push, and the lists of what the API can do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.specs.reading.facts import Fact, Part, Place, Sample, members_of, named
from tests.specs.reading.repair import parse_sample, take_block

NAME = "vtx-voip-openapi.txt"
PUSH = Place(webhook="notification")
CREATE = Place("POST", "/openapi/v1/subscriptions")
_CURL = re.compile(r"curl .*https://[^/\s]+(/\S+)(.*)")
_METHOD = re.compile(r"-X (\w+)")
_PUSH = re.compile(r"POST /\S* HTTP/1\.1")
_BODY_FILE = re.compile(r"cat openapi-\S+\.json")
_HEADER = re.compile(r"(X-C5-Application|Content-Type): \S+$")
_URL_ROW = re.compile(r"URL \| .* \| (https://\S+) \|")

# What the page says in words or only names, by the words that say it, and the clauses that say so too.
NAMED = {
    r"IPs from Switzerland and France": ("VX-source-addresses",),
    r"Get user or customer past CDR": ("VX-users-cdr-query", "VX-enterprise-cdr-query"),
    r"push notification CDR at the end of calls": ("VX-push-at-call-end", "VX-push-not-before-end"),
    r"Get/Change/Delete Features": ("VX-users-features",),
    r"^- Get Presence Status": ("VX-users-presence",),
    r"See realtime notification subscriptions": ("VX-subscription-created-listed", "VX-subscription-list-complete"),
    r"Delete realtime notification subscriptions": ("VX-subscription-deleted-gone",),
    r"Refresh notification subscriptions": ("VX-subscription-refresh",),
    r"^- Get Server Version": ("VX-getServer",),
    r"work with names and/or IDs": ("VX-users-names-and-ids",),
    r"/openapi/v1/users/\{userLogin\}/feat": ("VX-users-features",),
    r"/openapi/v1/users/\{userLogin\}/presence": ("VX-users-presence",),
    r"HTTP Basic Auth Login": ("VX-access-granted", "VX-access-refused"),
    r"HTTP Header \| X-C5-Application": ("VX-application-required",),
    r"Content Type \| application/json": ("VX-content-type-asked",),
    r"Get CDRs from a subscriber": ("VX-users-cdr-query",),
    r"Get CDRs from an enterprise": ("VX-enterprise-cdr-query",),
    r"bulkLimitCommon": ("VX-bulk-limits",),
}


def samples(text: str) -> Iterator[Sample]:
    """Every body: of requests, of answers, and of the push."""
    lines = text.splitlines()
    place, part, index = CREATE, Part.RESPONSE, 0
    while index < len(lines):
        line = lines[index]
        if curl := _CURL.match(line):
            place, part = _place(curl), Part.RESPONSE
        elif _BODY_FILE.fullmatch(line):
            place, part = CREATE, Part.REQUEST
        elif _PUSH.match(line):
            place, part = PUSH, Part.REQUEST
        if line.strip() == "{":
            block, after = take_block(lines, index)
            yield Sample(NAME, index + 1, place, part, parse_sample(block)[0])
            index = after
        else:
            index += 1


def facts(text: str) -> Iterator[Fact]:
    """Every operation, request header, member and named ability."""
    pushed = False
    for index, line in enumerate(text.splitlines()):
        number = index + 1
        if curl := _CURL.match(line):
            yield Fact(NAME, number, "operation", _place(curl))
        if _PUSH.match(line):
            pushed = True
            yield Fact(NAME, number, "operation", PUSH)
        if header := _HEADER.match(line):
            if pushed:
                yield Fact(NAME, number, "media type", PUSH, Part.REQUEST, value="application/json")
            else:
                yield Fact(NAME, number, "request header", value=header.group(1))
        if "HTTP Basic Auth Login" in line:
            yield Fact(NAME, number, "security", value="basic")
        if url := _URL_ROW.match(line):
            yield Fact(NAME, number, "server", value=url.group(1))
        yield from named(NAME, NAMED, number, line)
    for sample in samples(text):
        yield from members_of(sample)


def _place(curl: re.Match[str]) -> Place:
    path, rest = curl.groups()
    method = _METHOD.search(rest)
    return Place(method.group(1) if method else "GET", path)
