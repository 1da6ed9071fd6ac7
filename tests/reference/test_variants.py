"""Variants change how things are said and nothing of what is said."""

from __future__ import annotations

import json

import pytest

from harness.reference.other_ids import Ids
from harness.reference.variants import VARIANTS, Answer

_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"0"), (b"quota-used", b"3")]
_VALUE = {"id": 1, "items": [{"b": None, "a": "é"}]}
_INVITE = (
    b"INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h:1\r\nVia: SIP/2.0/UDP g:1\r\nFrom: <sip:x@y>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: 7\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"
)


def _answer(status: int = 200) -> Answer:
    return Answer(status, list(_HEADERS), json.dumps(_VALUE).encode())


def _without(value: object, name: str) -> object:
    if isinstance(value, dict):
        return {key: _without(item, name) for key, item in value.items() if key != name}
    return [_without(item, name) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name, one in VARIANTS.items() if one.answer or one.callback])
def test_json_says_the_same_and_its_length_fits(name: str) -> None:
    change = VARIANTS[name].answer or VARIANTS[name].callback
    assert change is not None
    changed = change(_answer())
    assert _without(json.loads(changed.body), "vendorExtension") == _VALUE
    assert changed.status == 200
    headers = {key.lower(): value for key, value in changed.headers}
    assert headers[b"quota-used"] == b"3"
    assert headers.get(b"content-length") in (b"0", str(len(changed.body)).encode(), None)
    assert (changed != _answer()) or name.endswith(("-other-errors", "-time-zone", "-no-site"))


def test_one_that_is_not_hybrid_tells_of_no_site() -> None:
    change = VARIANTS["callback-no-site"].callback
    assert change is not None
    told = {"sessionId": "a", "siteId": "siteA", "siteBaseUrl": "http://h/a"}
    assert json.loads(change(Answer(0, list(_HEADERS), json.dumps(told).encode())).body) == {"sessionId": "a"}


@pytest.mark.parametrize("name", ["http-time-zone", "callback-time-zone"])
def test_another_time_zone_is_the_same_instant(name: str) -> None:
    change = VARIANTS[name].answer or VARIANTS[name].callback
    assert change is not None
    said = {
        "at": ["2026-11-26T08:00:00Z", "2026-11-26T08:00:00.25+0000"],
        "else": "2026-11-26",
        "words": "at 08:00:00Z",
    }
    changed = json.loads(change(Answer(200, list(_HEADERS), json.dumps(said).encode())).body)
    assert changed == said | {"at": ["2026-11-26T10:00:00.000+02:00", "2026-11-26T10:00:00.250+02:00"]}


def test_ids_in_another_form_come_back_as_they_were_and_those_of_clients_stay() -> None:
    ids, own = Ids(), b"0b7f3a52-7a53-4c6f-9d0e-1f2a3b4c5d6e"
    other = ids.out(b"/trunk/" + own)
    assert other == b"/trunk/Z0B7F3A527A534C6F9D0E1F2A3B4C5D6E"
    assert ids.back(other) == b"/trunk/" + own
    ids.back(b"X-Application: " + own)
    assert ids.out(own) == own


def test_another_error_body_keeps_the_status() -> None:
    change = VARIANTS["http-other-errors"].answer
    assert change is not None
    changed = change(_answer(404))
    assert (changed.status, dict(changed.headers)[b"content-type"]) == (404, b"application/problem+json")


def _named(message: bytes) -> dict[str, list[str]]:
    long = {"v": "via", "f": "from", "t": "to", "i": "call-id", "c": "content-type", "l": "content-length"}
    rows: dict[str, list[str]] = {}
    for line in message.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        name, _, value = line.partition(":")
        rows.setdefault(long.get(name.lower(), name.lower()), []).append(value.strip())
    return rows


@pytest.mark.parametrize("name", [name for name, one in VARIANTS.items() if one.sip])
def test_sip_messages_keep_their_lines_and_the_order_within_a_name(name: str) -> None:
    change = VARIANTS[name].sip
    assert change is not None
    messages = change(_INVITE)
    for message in messages:
        assert message.startswith(b"INVITE sip:a@b SIP/2.0\r\n")
        assert message.endswith(b"\r\n\r\nv=0")
        assert _named(_INVITE).items() <= _named(message).items()
    assert messages != [_INVITE] or name == "sip-progress-first"


def test_a_183_comes_before_a_180() -> None:
    change = VARIANTS["sip-progress-first"].sip
    assert change is not None
    ringing = b"SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n"
    assert change(ringing) == [ringing.replace(b"180 Ringing", b"183 Session Progress"), ringing]
