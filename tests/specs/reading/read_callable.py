"""Reads the Callable page: requests with their headers and bodies, answers, and the table of the voice channel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from tests.specs.reading.facts import Fact, Part, Place, Sample, members_of, named
from tests.specs.reading.repair import parse_sample, take_block

NAME = "callable-rest-api.txt"
FORM = "application/x-www-form-urlencoded"
VOICE = Place("POST", "/api/v1/account/{account}/channels/voice")
_REQUEST = re.compile(r"(GET|POST|PUT|DELETE) (/api/v1/\S+)\s*")
_STATUS = re.compile(r"Response (\d{3}) ")
_FORM_BODY = re.compile(r"\w+=\S+")
_FIELD = re.compile(r"([a-z]+(?:[A-Z][a-z]+)*?)((?:The|Contains|A|On) .*?)(true|false)$")
_TYPES = re.compile(r"can be of type ([\w, ]+?)true$")

# What the page says in words or only names, by the words that say it, and the clauses that say so too.
NAMED = {
    r"initially need to authenticate": ("CA-token-for-password",),
    r"containing a JWT access token": ("CA-token-jwt", "CA-token-opens-api"),
    r"allowed roles for your user": ("CA-token-roles", "CA-token-role-rights"),
    r"refresh_token expiry is longer": ("CA-token-refresh-outlives",),
    r"renew your access_token when it expires": ("CA-token-refresh", "CA-token-expires"),
    r"return a new json object as above": ("CA-token-refresh-shape",),
    r"allowing for inbound routing of voice": ("CA-ddi-enters-route",),
    r"allocate a new DDI": ("CA-ddi-allocation",),
    r"whitelist the connection": ("CA-trunk-whitelisted-served", "CA-trunk-others-refused"),
    r"flow-hooks to allow 3rd parties": ("CA-flow-hook",),
    r"receive communication events": ("CA-event-hook-called", "CA-event-hook-content"),
    r"entry point for the DDIs": ("CA-ddi-enters-route",),
    r"SIP_GATEWAY device maps the trunks": ("CA-device-gateway-rings-trunk",),
    r"maps to the id of a device": ("CA-device-connect-to",),
    r"enum, usually HANGUP": ("CA-device-connect-to", "CA-ddi-hangup"),
    r"Device Types are defined in more details": ("CA-device-other-types",),
    r"create, update and remove live voice calls": ("CA-voice-live-update", "CA-voice-live-remove"),
    r"supporting SMS & Email channels": ("CA-other-channels",),
    r"number to present to the initially dialled": ("CA-voice-caller-presented",),
    r"main billing number of the account": ("CA-voice-caller-default",),
    r"tags span the lifecycle": ("CA-voice-tags-taken", "CA-voice-tags-carried"),
    r"target is|targetA Dial verb": ("CA-voice-target-dialled", "CA-target-types-named"),
    r"On answer of the original Dial": ("CA-verbs-run-on-answer", "CA-verbs-not-before-answer"),
    r"Verbs can be of type": ("CA-verbs-named",),
    r"outbound call for .* and tell the customer": ("CA-say-heard", "CA-target-phone-number"),
    r"registered sip trunk on a particular extension": ("CA-target-extension",),
    r"and then dial a phone number": ("CA-dial-targets", "CA-verbs-in-order"),
}


def samples(text: str) -> Iterator[Sample]:
    """Every body; the claims of the access token are no body of an operation: see `claims`."""
    lines = text.splitlines()
    place, part, index = VOICE, Part.REQUEST, 0
    while index < len(lines):
        line = lines[index]
        if request := _REQUEST.fullmatch(line):
            place, part = Place(*request.groups()), Part.REQUEST
        elif _STATUS.match(line):
            part = Part.RESPONSE
        elif line.startswith("Create a Voice call"):
            place, part = VOICE, Part.REQUEST
        elif _FORM_BODY.fullmatch(line.strip()):
            yield Sample(NAME, index + 1, place, part, dict(parse_qsl(line.strip())), FORM)
        if line.strip() in ("{", "["):
            block, after = take_block(lines, index)
            value, elided = parse_sample(block)
            yield Sample(NAME, index + 1, place, part, value, elided=elided)
            index = after
        else:
            index += 1


def claims(text: str) -> tuple[int, object]:
    """The line (from 1) and value of the snippet that shows claims of the access token."""
    lines = text.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith('"realm_access"'))
    block, _ = take_block(lines, start)
    return start + 1, parse_sample("{" + block + "}")[0]


def facts(text: str) -> Iterator[Fact]:
    """Every operation, request header, status, member, table field and named ability."""
    place: Place | None = None
    for index, line in enumerate(text.splitlines()):
        number = index + 1
        if request := _REQUEST.fullmatch(line):
            place = Place(*request.groups())
            yield Fact(NAME, number, "operation", place)
        elif place and line.startswith("Authorization: Bearer"):
            yield Fact(NAME, number, "secured", place)
        elif place and line.startswith("Content-Type: "):
            yield Fact(NAME, number, "media type", place, Part.REQUEST, value=line.split()[1])
        elif place and (status := _STATUS.match(line)):
            yield Fact(NAME, number, "status", place, value=status.group(1))
        elif field := _FIELD.match(line):
            name, _, required = field.groups()
            kind = "required" if required == "true" else "optional"
            yield Fact(NAME, number, "member", VOICE, Part.REQUEST, (name,))
            yield Fact(NAME, number, kind, VOICE, Part.REQUEST, (name,))
            if types := _TYPES.search(line):
                for value in re.findall(r"\b(?!or\b)\w+", types.group(1)):
                    member = value[0].lower() + value[1:] if value != "SipURI" else "sipUri"
                    yield Fact(NAME, number, "choice", VOICE, Part.REQUEST, (name, member))
        yield from named(NAME, NAMED, number, line)
    for sample in samples(text):
        yield from members_of(sample)
