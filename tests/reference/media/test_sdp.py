"""Offer and answer of audio calls."""

from __future__ import annotations

import pytest

from harness.reference.media import SdpError, answer_offer, build_offer, parse_sdp, read_answer

HEAD = "v=0\r\no=x 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"


def offer(*lines: str, connection: str = "c=IN IP4 192.0.2.7") -> bytes:
    return (HEAD + "\r\n".join(filter(None, [connection, "t=0 0", *lines, ""]))).encode()


def test_the_answer_keeps_the_offerers_order_and_payload_types() -> None:
    sdp = offer(
        "m=audio 4000 RTP/AVP 9 97 0 96",
        "a=rtpmap:97 PCMA/8000",
        "a=rtpmap:96 telephone-event/8000",
    )
    agreement = answer_offer(sdp, "127.0.0.1", 6000)
    assert (agreement.codec.name, agreement.codec.payload, agreement.dtmf) == ("PCMA", 97, 96)
    assert [c.payload for c in agreement.codecs] == [97, 0]
    assert agreement.remote == ("192.0.2.7", 4000)
    assert b"m=audio 6000 RTP/AVP 97 0 96\r\n" in agreement.sdp
    assert b"a=rtpmap:96 telephone-event/8000\r\n" in agreement.sdp


def test_a_media_line_has_its_own_connection_address() -> None:
    sdp = offer("m=audio 4000 RTP/AVP 8", "c=IN IP4 192.0.2.99")
    assert answer_offer(sdp, "127.0.0.1", 6000).remote == ("192.0.2.99", 4000)


def test_other_media_lines_are_answered_switched_off_in_their_place() -> None:
    sdp = offer("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 0")
    media = parse_sdp(answer_offer(sdp, "127.0.0.1", 6000).sdp).media
    assert [(m.kind, m.port) for m in media] == [("video", 0), ("audio", 6000), ("audio", 0)]


@pytest.mark.parametrize(
    ("attribute", "answered", "send", "receive"),
    [
        ("a=sendrecv", "sendrecv", True, True),
        ("a=sendonly", "recvonly", False, True),
        ("a=recvonly", "sendonly", True, False),
        ("a=inactive", "inactive", False, False),
    ],
)
def test_hold_is_mirrored(attribute: str, answered: str, send: bool, receive: bool) -> None:
    agreement = answer_offer(offer("m=audio 4000 RTP/AVP 0", attribute), "127.0.0.1", 6000)
    assert f"a={answered}\r\n".encode() in agreement.sdp
    assert (agreement.send, agreement.receive) == (send, receive)


def test_hold_by_the_zero_address_sends_nothing() -> None:
    agreement = answer_offer(offer("m=audio 4000 RTP/AVP 0", connection="c=IN IP4 0.0.0.0"), "127.0.0.1", 6000)
    assert agreement.remote is None
    assert not agreement.send


def test_gsm_is_agreed_by_name_only_where_it_is_supported() -> None:
    sdp = offer("m=audio 4000 RTP/AVP 3")
    assert answer_offer(sdp, "127.0.0.1", 6000, ("GSM",)).codec.name == "GSM"
    with pytest.raises(SdpError, match="codec"):
        answer_offer(sdp, "127.0.0.1", 6000)


UNUSABLE = [
    "empty",
    "text",
    "other-version",
    "no-media",
    "binary",
    "port-a-word",
    "port-out-of-range",
    "media-without-a-port",
    "no-address",
    "short-connection-line",
    "switched-off",
    "encrypted",
    "payload-types-out-of-range",
    "other-rate",
    "too-many-media",
    "too-long",
]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"v=1\r\n",
        HEAD.encode(),
        b"\xff\xfe\x00" * 50,
        offer("m=audio x RTP/AVP 0"),
        offer("m=audio 99999 RTP/AVP 0"),
        offer("m=audio"),
        offer("m=audio 4000 RTP/AVP 0", connection=""),
        offer("m=audio 4000 RTP/AVP 0", connection="c=IN"),
        offer("m=audio 0 RTP/AVP 0"),
        offer("m=audio 4000 RTP/SAVP 0"),
        offer("m=audio 4000 RTP/AVP 200 -1 abc"),
        offer("m=audio 4000 RTP/AVP 97", "a=rtpmap:97 PCMU/16000"),
        offer(*["m=audio 4000 RTP/AVP 0"] * 40),
        offer("m=audio 4000 RTP/AVP 0", "a=" + "x" * 30_000),
    ],
    ids=UNUSABLE,
)
def test_unusable_offers_are_refused(body: bytes) -> None:
    with pytest.raises(SdpError):
        answer_offer(body, "127.0.0.1", 6000)


def test_our_own_offer_and_its_answer_agree_on_both_sides() -> None:
    ours = build_offer("127.0.0.1", 5000, ("PCMA", "PCMU"))
    theirs = answer_offer(ours, "127.0.0.1", 6000, ("PCMU",))
    agreement = read_answer(ours, theirs.sdp)
    assert agreement.codec.name == theirs.codec.name == "PCMU"
    assert agreement.dtmf == theirs.dtmf == 101
    assert agreement.remote == ("127.0.0.1", 6000)
    assert theirs.remote == ("127.0.0.1", 5000)


def test_an_answer_with_nothing_of_ours_is_refused() -> None:
    ours = build_offer("127.0.0.1", 5000, ("PCMA",))
    with pytest.raises(SdpError):
        read_answer(ours, offer("m=audio 4000 RTP/AVP 0"))
    with pytest.raises(SdpError):
        read_answer(ours, None)


def test_an_answer_sendonly_means_that_we_only_receive() -> None:
    ours = build_offer("127.0.0.1", 5000, ("PCMU",))
    agreement = read_answer(ours, offer("m=audio 4000 RTP/AVP 0", "a=sendonly"))
    assert (agreement.send, agreement.receive) == (False, True)


def test_every_description_has_its_own_version() -> None:
    assert build_offer("127.0.0.1", 5000) != build_offer("127.0.0.1", 5000)
