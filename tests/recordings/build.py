"""Makes recordings for the tests beside this file: captures, flows and HAR of the calls that tests/checks/data has.

The captures in data/ were written by scapy, as something that we did not write; these here are for calls.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.contract import Contract, load_contracts
from harness.drivers.recorder.flows import WHOLE_HEADERS, write_har
from harness.recordings.calls import cut
from harness.recordings.judging import findings_in
from harness.recordings.pcap import Segment
from harness.recordings.reading import Pile
from harness.recordings.sides import sort_out
from harness.recordings.sip_capture import CapturedSip
from harness.timeline import Event, Exchange, SipMessage, Timeline
from harness.verdicts import Verdict

SCENES = Path(__file__).parents[1] / "checks" / "data"
PLATFORM = "127.0.0.1:5060"
_PEERS = {"caller": "127.0.0.1:5071"}

Item = Exchange | CapturedSip


def scene(kind: str, name: str) -> tuple[dict[str, Any], list[Item]]:
    """What is expected of a call of tests/checks/data, and the call as somebody records it who knows no sides."""
    path = SCENES / kind / f"{name}.jsonl"
    header = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
    return header, [item for event in Timeline.read(path) if (item := as_recorded(event))]


def as_recorded(event: object, *, moved: bool = True) -> Item | None:
    """An event without what only a scenario knows; `moved`: the agents of a scene, which share an address, get their own."""
    if isinstance(event, Exchange):
        about = {"headers": WHOLE_HEADERS}
        return Exchange(
            event.at, request=event.request, response=event.response, ended=event.ended, failure=event.failure,
            about=about,
        )  # fmt: skip
    if isinstance(event, SipMessage):
        peer = _PEERS.get(event.agent, f"127.0.0.1:{6000 + sum(map(ord, event.agent)) % 500}")
        peer, own = (peer, PLATFORM) if moved else (event.local, event.remote)
        ends = (own, peer) if event.direction == "in" else (peer, own)
        return CapturedSip(event.at, "udp", *ends, event.text)
    return None


_IDS = re.compile(
    rb'("(?:sessionId|replyId|traceId|httpTransactionId|connectionId|participantId|callerParticipantId'
    rb'|calleeParticipantId|remoteParticipantId|sipCallId|callId)": ")'
)


def another(items: Sequence[Item], tag: str, later: float) -> list[Item]:
    """The same call with ids of its own, at another time."""
    made: list[Item] = []
    mark = rf"\g<1>{tag}".encode()
    for item in items:
        if isinstance(item, CapturedSip):
            text = re.sub(r"(?im)^((?:call-id|i)\s*:\s*)", rf"\g<1>{tag}", item.text)
            made.append(replace(item, at=item.at + later, text=text))
            continue
        response = item.response and replace(item.response, body=_IDS.sub(mark, item.response.body))
        request = replace(item.request, body=_IDS.sub(mark, item.request.body))
        ended = (item.ended or item.at) + later
        made.append(replace(item, at=item.at + later, ended=ended, request=request, response=response))
    return made


def names(kind: str) -> list[str]:
    return sorted(path.stem for path in (SCENES / kind).glob("*.jsonl"))


def write_flows(path: Path, items: Iterable[Item]) -> Path:
    """Exchanges as mitmproxy writes them."""
    from mitmproxy.io import FlowWriter
    from mitmproxy.test import tflow

    with path.open("wb") as file:
        writer = FlowWriter(file)  # type: ignore[no-untyped-call]
        for item in items:
            if not isinstance(item, Exchange):
                continue
            flow = tflow.tflow(resp=item.response is not None)
            request = flow.request
            request.url, request.method = item.request.url, item.request.method
            request.headers.fields = _fields(item.request.headers)
            request.raw_content = item.request.body
            request.timestamp_start = request.timestamp_end = item.at
            if item.response is not None and flow.response is not None:
                flow.response.status_code = item.response.status
                flow.response.headers.fields = _fields(item.response.headers)
                flow.response.raw_content = item.response.body
                flow.response.timestamp_start = flow.response.timestamp_end = item.ended or item.at
            writer.add(flow)
    return path


def write_har_of(flows: Path, path: Path) -> Path:
    write_har(flows, path)
    return path


def _fields(headers: Iterable[tuple[str, str]]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in headers)


def write_capture(path: Path, items: Iterable[Item]) -> Path:
    """SIP messages as tcpdump writes them."""
    messages = sorted((item for item in items if isinstance(item, CapturedSip)), key=lambda item: item.at)
    frames = [(item.at, udp_frame(item.source, item.target, item.text.encode())) for item in messages]
    path.write_bytes(classic(frames))
    return path


def classic(frames: Sequence[tuple[float, bytes]], link: int = 1) -> bytes:
    """A capture in the classic format."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)
    for at, frame in frames:
        data += struct.pack("<IIII", int(at), round(at % 1 * 1e6) % 1_000_000, len(frame), len(frame)) + frame
    return data


def udp_frame(source: str, target: str, data: bytes) -> bytes:
    (host, port), (other, other_port) = (each.rpartition(":")[::2] for each in (source, target))
    datagram = struct.pack("!HHHH", int(port), int(other_port), 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0)
    return b"\0" * 12 + b"\x08\x00" + head + socket.inet_aton(host) + socket.inet_aton(other) + datagram


def segment(sequence: int, data: bytes, *, at: float = 1.0, first: bool = False) -> Segment:
    """A TCP segment from a client to a SIP server."""
    return Segment(at, "192.0.2.1:40000", "192.0.2.2:5060", data, True, sequence, first)


def sorted_pile(
    items: Sequence[Item], contract: Contract, listened_on: float = 0.0, platform: str = PLATFORM
) -> tuple[Pile, list[Event]]:
    """`listened_on`: seconds for which somebody went on recording after the last event."""
    exchanges = [item for item in items if isinstance(item, Exchange)]
    messages = [item for item in items if isinstance(item, CapturedSip)]
    pile = Pile(exchanges=exchanges, messages=messages)
    if exchanges:
        last = max(item.ended or item.at for item in exchanges)
        pile.cover(("http", "callback"), min(item.at for item in exchanges), last + listened_on)
    if messages:
        at = [item.at for item in messages]
        pile.cover(("sip",), min(at), max(at) + listened_on)
    found = sort_out(pile, contract, [platform])
    ordered = sorted(found.events, key=lambda event: event.at)
    return pile, [replace(event, seq=number) for number, event in enumerate(ordered)]


def wrong(items: Sequence[Item], system: str, listened_on: float = 0.0, platform: str = PLATFORM) -> list[str]:
    """What is said to deviate, without writing anything."""
    contract = load_contracts((system,))[system]
    pile, events = sorted_pile(items, contract, listened_on, platform)
    found = findings_in(events, cut(events, system), contract, pile)
    return [f"{finding.clause}: {finding.message}" for finding in found if finding.verdict is Verdict.FAIL]
