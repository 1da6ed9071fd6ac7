"""What the reference platform stands: many calls at once, and minutes of noise and torture on all of its ports.

Run by hand: `python -m tests.benchmarks.soak calls [--calls 2000] [--rate 200]` lets SIPp's uac scenario call an IVR
address over UDP and over TCP; `python -m tests.benchmarks.soak noise [--minutes 10]` throws random bytes, mutilated messages
and hostile requests at every port, and places a normal call before and after. Ends with 1 when a call failed, something was
logged that is no event, or memory grew by more than a tenth in the second half.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import random
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.reference.mediaservice.application import Application
from tests.reference.platform_process import Platform

_SYSTEMS = ("apidaze", "callable", "vtx", "mediaservice")
_INVITE = (
    "INVITE sip:{to}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{key};rport\r\n"
    "From: <sip:me@127.0.0.1>;tag={key}\r\nTo: <sip:{to}@127.0.0.1>\r\nCall-ID: {key}@127.0.0.1\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:me@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n"
    "\r\n{sdp}"
)
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n"
# In the manner of RFC 4475: what parsers stumble over, well formed and not.
_TORTURE: tuple[Callable[[str], str], ...] = (
    lambda text: text.replace("Via: ", "v:  \t").replace("Call-ID:", "i :").replace("Content-Length", "l"),
    lambda text: text.replace("Content-Length: ", "Content-Length: 9999"),
    lambda text: re.sub(r"Content-Length: \d+", "Content-Length: -7", text),
    lambda text: text.replace("CSeq: 1 INVITE", "CSeq: 36893488147419103232 REGISTER"),
    lambda text: text.replace("SIP/2.0\r\n", "SIP/7.0\r\n", 1),
    lambda text: text.replace("From: ", "From: <sip:a@b>;tag=x, "),
    lambda text: text.replace("To: <", "To: <<<"),
    lambda text: text.replace("branch=z9hG4bK", "branch="),
    lambda text: text.replace("Max-Forwards: 70", "Max-Forwards: 0"),
    lambda text: text.replace("\r\n", "\n"),
    lambda text: text.replace("\r\n\r\n", "\r\nX-Long: " + "y" * 9000 + "\r\n\r\n", 1),
    lambda text: text.replace("INVITE sip:", "INVITE %00%ff;lr:"),
    lambda text: text.replace("m=audio 9", "m=audio 99999999"),
    lambda text: text.replace("Contact: <", 'Contact: "\u2028\u0000" <'),
    lambda text: "\r\n" * 50 + text,
    lambda text: text + text,
)
_HTTP = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST /d/hangupcall HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{[{[{",
    b"POST /api/v1/oauth/authorize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    b"PUT /" + b"%2e" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /openapi/v1/subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60000,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
)


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


async def _call_ivr(address: str, transport: str, calls: int, rate: int) -> tuple[int, int]:
    """Successful and failed calls of SIPp's built-in uac scenario."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        figures = Path(folder) / "figures.csv"
        arguments = ["-sn", "uac", "-s", "ivr-soak", "-m", str(calls), "-r", str(rate), "-l", str(calls)]
        arguments += ["-t", "u1" if transport == "udp" else "t1", "-i", "127.0.0.1", "-nostdin", "-timeout", "120"]
        arguments += ["-trace_stat", "-fd", "1", "-stf", str(figures), address]
        sipp = await asyncio.create_subprocess_exec(
            "sipp", *arguments, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await asyncio.wait_for(sipp.wait(), 180)
        last = list(csv.DictReader(figures.read_text().splitlines(), delimiter=";"))[-1]
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


def _answers(app: Application) -> None:
    app.answers |= {"newCall": {"action": "ivr"}, "getIvrCommand": {"phrases": [], "getIVRCommandAfter": 60}}


def _complaints(log: str) -> list[str]:
    """Lines of errors, each with the traceback that follows it."""
    return re.findall(r"^\S+ (?:ERROR|CRITICAL).*(?:\n(?!\d\d:).*)*", log, re.MULTILINE)


def _print_complaints(complaints: Sequence[str]) -> None:
    print("\n".join([f"log: {len(complaints)} complaints", *complaints[:3]]))


async def calls(asked: argparse.Namespace) -> int:
    failed = 0
    async with Application() as app:
        _answers(app)
        with Platform("--system", "mediaservice", "--callback", app.url, "--log-level", "warning") as platform:
            sip = platform.ready["systems"]["mediaservice"]["sip"]["address"]
            for transport in ("udp", "tcp"):
                began = time.monotonic()
                good, bad = await _call_ivr(sip, transport, asked.calls, asked.rate)
                seconds = time.monotonic() - began
                print(
                    f"{transport}: {good} calls answered, {bad} failed, {seconds:.1f} s at {asked.rate}/s", flush=True
                )
                failed += bad + (asked.calls - good - bad)
            complaints = _complaints(platform.log())
    _print_complaints(complaints)
    return 1 if failed or complaints else 0


def _resident(pid: int) -> float:
    """Resident memory in MiB."""
    fields = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", fields)[0]) / 1024


def _throw(noise: random.Random, tables: dict[str, Any]) -> None:
    """One handful at every port, UDP and TCP."""
    for name, table in tables.items():
        host, port = _place(table["sip"]["address"])
        key = f"{noise.getrandbits(64):x}"
        text = _INVITE.format(
            to=noise.choice(("ivr1", "ua1", "100", name)), port=9, key=key, length=len(_SDP), sdp=_SDP
        )
        message = bytearray(noise.choice(_TORTURE)(text).encode("utf-8", "replace"))
        for _ in range(noise.randrange(3)):
            message[noise.randrange(len(message))] = noise.randrange(256)
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            for data in (bytes(message), noise.randbytes(noise.randrange(1, 1400))):
                udp.sendto(data[:65000], (host, port))
        for place, data in (((host, port), bytes(message)), (_http_of(table), noise.choice(_HTTP))):
            with suppress(OSError), socket.create_connection(place, timeout=1) as tcp:
                tcp.sendall(data if noise.random() < 0.7 else noise.randbytes(300))


def _http_of(table: dict[str, Any]) -> tuple[str, int]:
    return _place(table["base_url"].split("/")[2])


async def noise(asked: argparse.Namespace) -> int:
    source = random.Random(asked.seed)
    async with Application() as app:
        _answers(app)
        systems = [word for name in _SYSTEMS for word in ("--system", name)]
        with Platform(*systems, "--callback", app.url, "--log-level", "error") as platform:
            tables = platform.ready["systems"]
            ivr = tables["mediaservice"]["sip"]["address"]
            before = await _call_ivr(ivr, "udp", 5, 5)
            began, rounds, memory = time.monotonic(), 0, []
            while time.monotonic() - began < asked.minutes * 60 and platform.process.poll() is None:
                await asyncio.to_thread(_throw, source, tables)
                rounds += 1
                await asyncio.sleep(max(0.0, began + rounds / asked.rounds - time.monotonic()))
                if rounds % 100 == 0:
                    memory.append(_resident(platform.process.pid))
            after = await _call_ivr(ivr, "udp", 5, 5)
            stopped = platform.stop(deadline=30)
            complaints = _complaints(platform.log())
    half = memory[len(memory) // 2 :] or [0.0]
    grown = (half[-1] - half[0]) / half[0] if half[0] else 0.0
    print(f"{rounds} rounds over {len(tables)} systems in {time.monotonic() - began:.0f} s, seed {asked.seed}")
    print(f"memory: {[round(one) for one in memory[:: max(1, len(memory) // 12)]]} MiB, second half {grown:+.1%}")
    print(f"normal calls: {before} before, {after} after")
    _print_complaints(complaints)
    return 1 if stopped != 0 or before != (5, 0) or after != (5, 0) or complaints or grown > 0.1 else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["calls", "noise"])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rounds", type=float, default=10, help="handfuls of noise per second")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    return asyncio.run(calls(asked) if asked.what == "calls" else noise(asked))


if __name__ == "__main__":
    sys.exit(main())
