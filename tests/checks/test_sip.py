"""SIP messages read as peers write them, and statuses and final answers of several."""

from __future__ import annotations

import pytest

from harness.checks.sip import (
    final_answers,
    parse_address,
    parse_message,
    parse_uri,
    requests,
    split_list,
    statuses,
)
from harness.checks.sip_sdp import Crypto, parse_sdp
from harness.timeline import SipMessage

INVITE = (
    "INVITE sip:+15550200;npdi@Example.ORG:5070;transport=udp SIP/2.0\r\n"
    "v: SIP/2.0/UDP 192.0.2.1:5060 ;branch=z9hG4bK-1;rport, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK-0\r\n"
    'f: "Al \\"ice\\", <A>" <sip:alice@192.0.2.1>;tag=88;x="a;b"\r\n'
    "TO : sip:bob@example.org;user=phone\r\n"
    "i: abc@192.0.2.1\r\n"
    "cSeq:  7   INVITE\r\n"
    "Subject: one\r\n   two\r\n"
    "P-Asserted-Identity: <sip:+1555@x>, <tel:+1-555;ext=1>\r\n"
    "Diversion: <sip:+1@x>;reason=no-answer\r\nDiversion: <sip:+2@x>\r\n"
    'Reason: Q.850 ;cause=17 ;text="User busy", SIP;cause=486\r\n'
    "\r\nv=0\r\n\r\nrest"
)


def test_compact_folded_and_shouted_headers_are_read() -> None:
    message = parse_message(INVITE)
    assert (message.method, message.status, message.cseq, message.call_id) == ("INVITE", None, 7, "abc@192.0.2.1")
    assert message.header("subject") == message.header("s") == "one two"
    assert message.branch == "z9hG4bK-1"
    assert message.body == "v=0\r\n\r\nrest"
    assert message.starts_dialog


def test_addresses_have_names_users_and_their_own_parameters() -> None:
    message = parse_message(INVITE)
    sender, receiver = message.from_address, message.to_address
    assert sender is not None
    assert receiver is not None
    assert (sender.name, sender.tag, sender.uri.user) == ('Al "ice", <A>', "88", "alice")
    assert sender.parameters["x"] == "a;b"
    assert (receiver.uri.user, receiver.parameters, receiver.tag) == ("bob", {"user": "phone"}, None)
    assert [address.uri.user for address in message.asserted] == ["+1555", "+1-555"]
    assert [(d.uri.user, d.parameters.get("reason")) for d in message.diversions] == [("+1", "no-answer"), ("+2", None)]
    assert message.from_user == "alice"


def test_reasons_have_protocol_cause_and_text() -> None:
    reasons = parse_message(INVITE).reasons
    assert [(r.protocol, r.cause, r.text) for r in reasons] == [("Q.850", 17, "User busy"), ("SIP", 486, "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:+1555;npdi@Host:5070;transport=tcp?a=b", ("sip", "+1555", "host", 5070)),
        ("sips:a%20b:secret@[2001:DB8::1]", ("sips", "a b", "[2001:db8::1]", 5061)),
        ("sip:[::1]:5080", ("sip", "", "[::1]", 5080)),
        ("SIP:host", ("sip", "", "host", 5060)),
        ("tel:+1-555;ext=1", ("tel", "+1-555", "", None)),
        ("no uri", ("", "", "", None)),
    ],
)
def test_a_uri_says_where_it_leads(text: str, expected: tuple[str, str, str, int | None]) -> None:
    assert parse_uri(text).destination == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "\x00\xff",
        "INVITE",
        "INVITE sip:x",
        ": : :",
        "SIP/2.0 abc",
        "A" * 10_000,
        '"' * 500,
        "f: <" * 99,
    ],
)
def test_garbage_is_read_as_nothing(text: str) -> None:
    message = parse_message(text)
    assert (message.method, message.status, message.from_user, message.cseq, message.branch) == (
        "",
        None,
        None,
        None,
        None,
    )


def test_odd_values_are_not_numbers() -> None:
    message = parse_message("SIP/2.0 200 OK\nCSeq: ²7 INVITE\nReason: SIP;cause=x\n\n")
    assert (message.status, message.method, message.cseq, message.reasons[0].cause) == (200, "INVITE", None, None)


def test_lists_are_split_outside_quotes_and_brackets_only() -> None:
    assert list(split_list('"a, \\" b" <sip:x,y@h>, c;p=1,, d')) == ['"a, \\" b" <sip:x,y@h>', "c;p=1", "d"]
    assert parse_address("  Bob  <sip:b@h>").name == "Bob"


def seen(text: str, direction: str = "in", at: float = 0.0) -> SipMessage:
    return SipMessage(at, "a", direction, "l", "r", text)


def response(status: int, call_id: str = "c", method: str = "INVITE") -> str:
    return f"SIP/2.0 {status} X\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\r\n"


def test_statuses_are_those_of_one_method_and_call_and_repeats_count_once() -> None:
    ringing, answer = seen(response(183)), seen(response(200))
    others = [seen(response(180, "other")), seen(response(200, method="BYE")), seen(response(100), "out")]
    messages = [ringing, seen(response(180)), answer, answer, *others]
    assert statuses(messages, call_id="c", direction="in") == (183, 180, 200)
    assert statuses(messages, "bye") == (200,)
    assert [message.status for message in final_answers(messages)] == [200]
    assert requests([seen(INVITE), seen(INVITE), seen(INVITE, "out")], "invite", direction="in")[0].from_user == "alice"
    assert len(requests([seen(INVITE), seen(INVITE), seen(INVITE, "out")], "INVITE")) == 2


SDP = (
    "v=0\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\nm=audio 4000/2 RTP/SAVP 8 0 96 101\r\n"
    "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20\r\n"
    "m=video 0 RTP/AVP 31\r\nc=IN IP4 192.0.2.9/127\r\n"
)


def test_a_session_description_says_where_and_how() -> None:
    audio = parse_sdp(SDP).audio
    assert audio is not None
    assert (audio.address, audio.port, audio.protocol, audio.direction) == ("192.0.2.1", 4000, "RTP/SAVP", "sendonly")
    assert audio.codecs == ("PCMA", "PCMU", "OPUS")
    assert audio.telephone_event == 101
    assert audio.cryptos == (Crypto("1", "AES_CM_128_HMAC_SHA1_80", "inline:abc|2^20"),)
    assert parse_sdp(SDP).media[1].address == "192.0.2.9"


@pytest.mark.parametrize("text", ["", "hello", "m=audio", "m=audio x RTP/AVP 0", "c=\nm=audio 0 RTP/AVP " + "9" * 9000])
def test_no_audio_is_found_where_there_is_none(text: str) -> None:
    assert parse_sdp(text).audio is None
