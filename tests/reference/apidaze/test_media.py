"""What a caller hears, with SIPp as the caller and a socket as its ear."""

from __future__ import annotations

import select
import socket

from tests.reference.apidaze.client import Client, ScriptServer, script, wav
from tests.reference.apidaze.sipp import MakePhone, needs_sipp
from tests.reference.platform_process import Platform

pytestmark = needs_sipp


def test_what_is_spoken_is_heard_as_rtp(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    scripts.pages["/talk"] = (200, script("<answer/>", '<speak lang="en-US">Good morning</speak>', "<hangup/>"))
    client.script(scripts.url + "/talk")
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        phone(client.account("alice")).call(media=("127.0.0.1", ear.getsockname()[1]))
        packets = _received(ear)
    assert len(packets) > 10
    assert {packet[0] for packet in packets} == {0x80}
    assert {packet[1] & 0x7F for packet in packets} == {0}
    assert {len(packet) for packet in packets} == {172}
    assert len({packet[12:] for packet in packets}) > 1


def test_a_wav_that_the_script_names_is_fetched_and_played(
    client: Client, phone: MakePhone, scripts: ScriptServer
) -> None:
    scripts.pages["/play"] = (200, script(f"<playback>{scripts.url}/a.wav</playback>"))
    scripts.pages["/a.wav"] = (200, wav(0.3))
    client.script(scripts.url + "/play")
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        phone(client.account("alice")).call(media=("127.0.0.1", ear.getsockname()[1]))
        packets = _received(ear)
    assert scripts.requests == ["/play", "/a.wav"]
    assert 14 <= len(packets) <= 16


def test_a_caller_that_offers_pcma_only_hears_pcma(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    client.script(scripts.url + "/main")
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        phone(client.account("alice")).call(media=("127.0.0.1", ear.getsockname()[1]), codec="8 PCMA")
        packets = _received(ear)
    assert {packet[1] & 0x7F for packet in packets} == {8}


def test_a_caller_without_an_offer_gets_one_and_hears(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    client.script(scripts.url + "/main")
    with socket.socket(type=socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        phone(client.account("alice")).call_without_offer(("127.0.0.1", ear.getsockname()[1]))
        assert len(_received(ear)) > 10


def test_a_caller_without_a_shared_codec_is_refused(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    client.script(scripts.url + "/main")
    phone(client.account("alice")).call(488, codec="97 opus")


def test_a_sound_that_cannot_be_had_is_left_out(
    platform: Platform, client: Client, phone: MakePhone, scripts: ScriptServer
) -> None:
    scripts.pages["/play"] = (200, script("<playback>nowhere</playback>", f"<playback file='{scripts.url}/text'/>"))
    scripts.pages["/text"] = (200, b"no wav")
    client.script(scripts.url + "/play")
    phone(client.account("alice")).call()
    assert scripts.requests == ["/play", "/text"]
    assert "'nowhere' is not an absolute http or https URL, left out" in platform.log()


def test_a_call_may_be_put_on_hold(client: Client, phone: MakePhone, scripts: ScriptServer) -> None:
    scripts.pages["/long"] = (200, script("<answer/>", "<wait>60</wait>"))
    client.script(scripts.url + "/long")
    caller = phone(client.account("alice"))
    caller.call(then="reinvite")
    assert "a=recvonly" in caller.trace("call")


def _received(ear: socket.socket) -> list[bytes]:
    packets = []
    while select.select([ear], [], [], 0)[0]:
        packets.append(ear.recv(2048))
    return packets
