"""Hostile bytes on VTX's SIP and HTTP ports: nothing crashes, nothing is left behind, and a normal call works afterwards."""

from __future__ import annotations

import random
import socket
from typing import Any

from tests.reference.vtx.client import Client, Receiver
from tests.reference.vtx.phones import Phones, needs_sipp

_INVITE = """\
INVITE sip:{dialled}@voip.vtx.example SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{n}
Max-Forwards: {hops}
From: {caller};tag=t{n}
To: <sip:{dialled}@voip.vtx.example>
Call-ID: bad-{n}
CSeq: 1 INVITE
Contact: {contact}
Content-Type: {kind}
Content-Length: {length}

{body}"""
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
_VALUES: dict[str, list[str]] = {
    "dialled": ["+41225550102", "0225550103", "704", "", "%00", "%FF%FE", "+" * 300, "a b", "1414", "%41", "41;x=y"],
    "hops": ["70", "1", "0", "-1", "x", "9" * 40, ""],
    "caller": ["<sip:+41215550199@a.example>", "<sip:a.example>", "<tel:117>", '"\\"', "<sip:%00@a>", "<http://a>", ""],
    "contact": ["<sip:a@127.0.0.1:9>", "<sip:a@127.0.0.1:9;transport=tcp>", "<tel:1>", "*", "", "<sip:@:99999>"],
    "kind": ["application/sdp", "text/plain", "", "multipart/mixed;boundary=x"],
    "body": [_SDP, "", "v=0", "\x00" * 50, _SDP * 20, "m=audio 9 RTP/AVP 0\r\n"],
}


def _messages(count: int, port: int) -> list[bytes]:
    """INVITEs with one to three strange values each, every tenth with bytes changed besides; always the same ones."""
    chance = random.Random(5)
    made = []
    for n in range(count):
        values = {name: known[0] for name, known in _VALUES.items()}
        for name in chance.sample(list(_VALUES), chance.randint(1, 3)):
            values[name] = chance.choice(_VALUES[name])
        text = _INVITE.format(n=n, port=port, length=len(values["body"]), **values)
        data = bytearray(text.replace("\r\n", "\n").replace("\n", "\r\n"), "latin-1")
        if n % 10 == 0:
            for _ in range(20):
                data[chance.randrange(len(data))] = chance.randrange(256)
        made.append(bytes(data))
    return made


@needs_sipp
def test_a_normal_call_works_after_a_flood_of_strange_ones(
    client: Client, receiver: Receiver, phones: Phones, users: list[dict[str, Any]]
) -> None:
    host, _, port = phones.address.partition(":")
    with socket.socket(type=socket.SOCK_DGRAM) as carrier:
        listen = int(phones.table["pstn"]["listen"].rpartition(":")[2])
        carrier.bind(("127.0.0.1", listen))
        carrier.settimeout(5)
        for message in _messages(600, listen):
            carrier.sendto(message, (host, int(port)))
        carrier.sendto(b"OPTIONS sip:x SIP/2.0\r\n\r\n", (host, int(port)))
        assert carrier.recv(65536)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01" + bytes(range(256)) * 40)
    client.subscribe(receiver.url(), int(users[0]["id"]))
    with phones.answering(users[1]):
        assert phones.call(users[0], users[1]["number"]).outcome == "done"
    receiver.wait_events(1)


def test_strange_requests_get_answers_and_the_next_one_is_served(client: Client) -> None:
    chance = random.Random(7)
    paths = [
        "/v1/subscriptions",
        "/v1/subscriptions/%00",
        "/v1/users/%ff%fe/presence",
        "/v1/%2e%2e/x",
        "/" + "a" * 3000,
    ]
    values: list[Any] = [None, True, -1, 1e308, "", "\x00", "\u202e", [], {}, [[[]]], {"a": {}}, "x" * 5000, 10**400]
    names = ["expires", "notificationUrl", "resourceType", "userIds", "", "x"]
    for _ in range(150):
        body = {name: chance.choice(values) for name in chance.sample(names, chance.randint(0, 6))}
        method = chance.choice(["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "BREW"])
        answer = client(method, chance.choice(paths), json=body)
        assert 200 <= answer.status_code < 500, (method, body, answer.text)
    assert client("GET", "/v1/system/server").status_code == 200
