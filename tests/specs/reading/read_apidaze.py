"""Reads the two Apidaze pages: recipes, samples, return codes and the table of answer headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.specs.reading.facts import Fact, Part, Place, Sample, members_of, named
from tests.specs.reading.repair import parse_sample, take_block

API_STORE = "apidaze-api-store.txt"
PORTAL = "apidaze-developer-portal.txt"
TOKEN = Place(operation="getAccessToken")
_RECIPE = re.compile(r"\s*1\. Select (GET|POST|PUT|DELETE) /?(externalscripts|sipaccounts)(\S*)\.$")
_STATUS = re.compile(r"(\d{3})\s+\w")
_HEADER = re.compile(r"(sunset|[a-z]+(?:-[A-Za-z]+)+) [A-Z]")
_UNITS = re.compile(r"quota-time-unit you specify \(([\w, ]+)\)")
_HSTS = re.compile(r"Strict-Transport-Security: (.*)")
_BASE_URL = re.compile(r"https://\S+")

# What the pages say in words or only name, by the words that say it, and the clauses that say so too.
NAMED = {
    r"client_id and client_secret fields": ("AZ-token-accepted",),
    r"Get a list of SIP accounts currently": ("AZ-account-list-complete", "AZ-account-created-listed"),
    r"Get the detail of a specific SIP": ("AZ-account-read-is-listed",),
    r"Update the values of a single SIP": ("AZ-account-update-shown",),
    r"Deletes a single SIP account": ("AZ-account-deleted-gone", "AZ-account-delete-only-one"),
    r"Gets the status of a single": ("AZ-getSipAccountStatus",),
    r"Get a list of external scripts": ("AZ-script-list-complete", "AZ-script-created-listed"),
    r"Get the detail of a specific external": ("AZ-script-read-is-listed",),
    r"Update the values of a single external": ("AZ-script-update-shown",),
    r"Deletes a single external script": ("AZ-script-deleted-gone",),
    r"Trigger a single external script": ("AZ-script-test-fetches",),
    r"Username: You can get this info": ("AZ-account-username-shown", "AZ-sip-register"),
    r"Password: You can get this info": ("AZ-SipAccount.sip.password", "AZ-sip-register"),
    r"deprecation details": ("AZ-header.sunset",),
    r"HTTP POST callback": ("AZ-webhook-post",),
    r"sample playing in \.WAV format": ("AZ-wav-playback",),
    r"en-US, fr-FR, it-IT and es-ES": ("AZ-text-to-speech",),
    r"manage your phone numbers": ("AZ-numbers",),
    r"other SIP carriers": ("AZ-carriers",),
    r"voicemail boxes": ("AZ-voicemail",),
    r"provision your hardphones": ("AZ-provisioning",),
    r"fetches XML instructions": ("AZ-xml-instructions",),
    r"set the URL of your ExternalScript": ("AZ-call-runs-script",),
    r"Domain/Host": ("AZ-account-status-domain",),
    r"once your registration is successful": ("AZ-sip-register",),
    r"OAuth 2\.0": ("AZ-token-accepted",),
    r"granted permission": ("AZ-token-required",),
    r"the user will be throttled|will be throttled and API requests": ("AZ-quota-exceeded-fails",),
}


def samples(name: str, text: str) -> Iterator[Sample]:
    """The lists and, on the API Store page, the token answer."""
    lines = text.splitlines()
    place, index = TOKEN, 0
    while index < len(lines):
        if recipe := _RECIPE.match(lines[index]):
            place = _place(recipe)
        if lines[index].strip() in ("{", "["):
            block, after = take_block(lines, index)
            yield Sample(name, index + 1, place, Part.RESPONSE, parse_sample(block)[0])
            index = after
        else:
            index += 1


def strict_transport_security(text: str) -> str | None:
    """The sampled header value; the full stop that ends the sentence is not part of it."""
    found = _HSTS.search(text)
    return found.group(1).rstrip(".") if found else None


def facts(name: str, text: str) -> Iterator[Fact]:
    """Every operation, request value, answer member, status, header and named ability."""
    place: Place | None = None
    for index, line in enumerate(text.splitlines()):
        number = index + 1
        if recipe := _RECIPE.match(line):
            place = _place(recipe)
            yield Fact(name, number, "operation", place)
        elif place:
            yield from _request_values(name, number, place, line)
        if status := _STATUS.match(line):
            yield Fact(name, number, "status", value=status.group(1))
        if header := _HEADER.match(line):
            yield Fact(name, number, "header", value=header.group(1).lower())
        if (units := _UNITS.search(line)) and place:
            for unit in re.findall(r"\b(?!or\b)\w+", units.group(1)):
                yield Fact(name, number, "header value", value=f"quota-time-unit {unit}")
        if base := _BASE_URL.fullmatch(line):
            yield Fact(name, number, "server", value=base.group(0))
        yield from named(name, NAMED, number, line)
    for sample in samples(name, text):
        yield from members_of(sample)


def _place(recipe: re.Match[str]) -> Place:
    method, collection, rest = recipe.groups()
    return Place(method, f"/{collection}{rest}")


def _request_values(name: str, number: int, place: Place, line: str) -> Iterator[Fact]:
    wanted = re.findall(r"filling out (\w+)|enter a value for the (\w+) variable|(?:and|as well as) (url), which", line)
    for value in (item for found in wanted for item in found if item):
        if value == "id":
            # Recipes differ on whether it goes into the path or the body: it must be somewhere.
            yield Fact(name, number, "parameter", place if "{id}" in place.path else None, value=value)
        elif place.path.endswith("/test"):
            yield Fact(name, number, "parameter", place, value=value)
        else:
            yield Fact(name, number, "member", place, Part.REQUEST, (value,))
            if place.method == "POST" or value == "url":
                yield Fact(name, number, "required", place, Part.REQUEST, (value,))
    if optional := re.search(r"[Oo]ther optional values are ([\w, ]+)\.", line):
        for value in re.findall(r"\b(?!and\b)\w+", optional.group(1)):
            yield Fact(name, number, "member", place, Part.REQUEST, (value,))
            yield Fact(name, number, "optional", place, Part.REQUEST, (value,))
