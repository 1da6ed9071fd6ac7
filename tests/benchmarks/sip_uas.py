"""How many calls per second the SIP engine answers, against SIPp's built-in uac scenario.

Run by hand: `python tests/benchmarks/sip_uas.py [--rate 600] [--calls 6000] [--transport udp|tcp] [--second-leg]`, the
repository on the path. It prints figures and asserts nothing; the goal is 500 answered calls per second, and 200 with a
second leg (whose far end runs in the same process and costs as much again).
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import sys
import time
from collections.abc import Sequence

from harness.reference.sip import IncomingCall, SipEndpoint

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"


def answer(call: IncomingCall) -> None:
    """Ring and answer at once."""
    call.progress(180)
    call.answer(SDP)


async def measure(rate: int, calls: int, transport: str, second_leg: bool) -> int:
    """Run SIPp against an endpoint of our own; SIPp's exit code."""

    async def connect(call: IncomingCall) -> None:
        uri = f"sip:far@127.0.0.1:{far.port};transport={transport}"
        leg = await endpoint.invite(uri, from_=call.request.from_, sdp=call.remote_sdp)
        leg.on_progress = lambda response: call.progress(response.status)
        call.on_end = lambda _end: leg.hangup()
        await leg.answered()
        call.answer(leg.remote_sdp)

    far = SipEndpoint(on_invite=answer)
    await far.start("127.0.0.1", 0)
    endpoint = SipEndpoint(on_invite=connect if second_leg else answer)
    await endpoint.start("127.0.0.1", 0)
    mode = "u1" if transport == "udp" else "t1"
    options = ["-sn", "uac", "-m", str(calls), "-r", str(rate), "-l", "5000", "-t", mode, "-i", "127.0.0.1", "-d", "0"]
    limits = ["-nostdin", "-timeout", "120", "-timeout_error", "-recv_timeout", "10000"]
    began, cpu = time.monotonic(), time.process_time()
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *options,
        *limits,
        f"127.0.0.1:{endpoint.port}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(150):
        code = await process.wait()
    seconds, busy = time.monotonic() - began, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    done = endpoint.answered // (2 if second_leg else 1)
    print(f"{transport}: {done} calls in {seconds:.1f} s = {done / seconds:.0f}/s at -r {rate}")
    print(f"CPU {busy:.1f} s = {done / max(busy, 0.001):.0f} calls/s of one core; peak {memory} MiB")
    print(f"sipp exit {code}; {endpoint.stats()}")
    await far.stop()
    await endpoint.stop()
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=600)
    parser.add_argument("--calls", type=int, default=6000)
    parser.add_argument("--transport", choices=("udp", "tcp"), default="udp")
    parser.add_argument("--second-leg", action="store_true")
    chosen = parser.parse_args(arguments)
    if shutil.which("sipp") is None:
        print("sipp is not installed (Debian: sip-tester)", file=sys.stderr)
        return 2
    return asyncio.run(measure(chosen.rate, chosen.calls, chosen.transport, chosen.second_leg))


if __name__ == "__main__":
    sys.exit(main())
