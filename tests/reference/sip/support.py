"""What the tests of the SIP engine share: a bounded run, waiting for conditions, endpoints, calls, raw peers and SIPp."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from harness.reference.sip import (
    EndpointStats,
    IncomingCall,
    OutgoingCall,
    Request,
    Response,
    SipEndpoint,
    SipTimers,
    parse,
)

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
FROM = '"Alice" <sip:alice@127.0.0.1>'
FAST = SipTimers(t1=0.02, t2=0.08, t4=0.1, ring_limit=5.0)


def run(work: Coroutine[Any, Any, None], seconds: float = 20.0) -> None:
    """Run a test's scenario, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await work

    asyncio.run(bounded())


async def until(condition: Callable[[], bool], seen: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for a condition; at the deadline say what had been seen."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"never happened; seen: {seen()}"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def endpoint(
    on_invite: Callable[[IncomingCall], Any] | None = None, **options: Any
) -> AsyncIterator[SipEndpoint]:
    """A started endpoint with quick timers."""
    options.setdefault("timers", FAST)
    made = SipEndpoint(on_invite=on_invite, **options)
    await made.start("127.0.0.1", 0)
    try:
        yield made
    finally:
        await made.stop()


def empty(stats: EndpointStats) -> bool:
    """Whether nothing of past calls is left but connections."""
    return (stats.server_transactions, stats.client_transactions, stats.dialogs, stats.tasks) == (0, 0, 0, 0)


class Answerer:
    """Answers each call and keeps it."""

    def __init__(self) -> None:
        self.calls: list[IncomingCall] = []

    def __call__(self, call: IncomingCall) -> None:
        self.calls.append(call)
        call.progress(180)
        call.answer(SDP)


async def dial(caller: SipEndpoint, callee: SipEndpoint, transport: str = "udp", **options: Any) -> OutgoingCall:
    options.setdefault("sdp", SDP)
    options.setdefault("from_", FROM)
    return await caller.invite(f"sip:bob@127.0.0.1:{callee.port};transport={transport}", **options)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[OutgoingCall, IncomingCall]]:
    """A call that is up, seen from both sides."""
    answerer = Answerer()
    async with endpoint() as caller, endpoint(answerer) as callee:
        call = await dial(caller, callee)
        await call.answered()
        yield call, answerer.calls[0]


async def drained(made: SipEndpoint) -> None:
    """Wait until an endpoint has freed everything."""
    await until(lambda: empty(made.stats()), made.stats)


async def acknowledged(call: IncomingCall) -> None:
    """Wait until no answer of ours lacks its ACK."""
    await until(lambda: not call._confirmations, lambda: call._confirmations)


class RawPeer:
    """A UDP socket that sends what it is given and keeps what it gets, parsed."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self.got: list[Request | Response] = []

    def send(self, data: str | bytes) -> None:
        """One datagram; text gets the line ends of SIP."""
        raw = data if isinstance(data, bytes) else data.replace("\r\n", "\n").replace("\n", "\r\n").encode()
        self._socket.sendto(raw, self._target)

    async def receive(self) -> Request | Response:
        """The next message."""
        async with asyncio.timeout(5):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65535)
        message = parse(data)
        self.got.append(message)
        return message

    async def status(self) -> int:
        """The status of the next final response."""
        while True:
            message = await self.receive()
            if isinstance(message, Response) and message.status >= 200:
                return message.status

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[RawPeer]:
    """A RawPeer, closed at the end."""
    peer = RawPeer(port)
    try:
        yield peer
    finally:
        peer.close()


def request_text(
    method: str,
    *extra: str,
    uri: str = "sip:bob@127.0.0.1",
    to: str = "<sip:bob@127.0.0.1>",
    branch: str = "z9hG4bK1",
    call_id: str = "call1",
    seq: int = 1,
    body: str = "",
    max_forwards: int = 70,
) -> str:
    """A plain request as text."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1;branch={branch};rport",
        "From: <sip:alice@127.0.0.1>;tag=a1",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {seq} {method}",
        f"Max-Forwards: {max_forwards}",
        *extra,
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    return "\r\n".join(lines)


async def sipp(arguments: list[str], where: Path, seconds: float = 60.0) -> tuple[int, str]:
    """Run SIPp in a folder until it ends, killed at the latest when the test is; its exit code and its errors."""
    limits = ["-nostdin", "-timeout", "30", "-timeout_error", "-recv_timeout", "5000", "-i", "127.0.0.1", "-trace_err"]
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *arguments,
        *limits,
        cwd=where,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    logs = "".join(path.read_text(errors="replace")[:2000] for path in where.glob("*_errors.log"))
    return process.returncode or 0, errors.decode(errors="replace")[-2000:] + logs
