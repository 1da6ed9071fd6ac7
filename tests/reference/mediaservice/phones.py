"""SIP parties of the tests beside this file: phones that call, ring, answer, press keys and hear.

They use the SIP engine of the reference platform, which the tests of that engine hold against foreign peers; the main
flow is also shown with SIPp.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from harness.reference.media import RtpSession, answer_offer, build_offer, read_answer
from harness.reference.media.audio import FRAME_BYTES, samples_of, tone
from harness.reference.media.packet import RtpPacket
from harness.reference.sip import Call, CallFailed, IncomingCall, OutgoingCall, Request, SipEndpoint

Taker = Callable[["Party"], Awaitable[None]]


async def until(condition: Callable[[], Any], what: str = "", seconds: float = 6.0) -> None:
    """Wait for a condition, with a deadline."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"never happened: {what}"
        await asyncio.sleep(0.005)


class Party:
    """One end of a call with its media. `heard`: loop time and loudness of each sound frame."""

    def __init__(self, call: Call, media: RtpSession) -> None:
        self.call = call
        self.media = media
        self.heard: list[tuple[float, int]] = []
        self.digits: list[str] = []
        media.on_digit = self.digits.append
        media.listeners.append(self._listen)

    def _listen(self, packet: RtpPacket) -> None:
        pcm = self.media.pcm_of(packet)
        if pcm:
            loudest = max((abs(sample) for sample in samples_of(pcm)), default=0)
            self.heard.append((asyncio.get_running_loop().time(), loudest))

    @property
    def request(self) -> Request:
        return self.call.request

    @property
    def loud(self) -> list[float]:
        """When something was heard that is not silence."""
        return [at for at, loudest in self.heard if loudest > 500]

    def header(self, name: str) -> str:
        return self.request.headers.get(name) or ""

    async def press(self, digits: str) -> None:
        await self.media.send_digits(digits, duration=0.06, gap=0.04)

    def speak(self, text: str = "speech", seconds: float = 1.0) -> None:
        self.media.start(tone(text, seconds), loop=True)

    def answer(self, *headers: tuple[str, str]) -> None:
        assert isinstance(self.call, IncomingCall)
        agreement = answer_offer(self.call.remote_sdp, self.media.host, self.media.port)
        self.media.apply(agreement)
        assert self.call.answer(agreement.sdp, headers)

    async def bye(self, *headers: tuple[str, str]) -> None:
        self.call.hangup(headers)
        await self.call.ended()

    async def ended(self, seconds: float = 6.0) -> str:
        """How the call ended; what the other side said last stands in `call.end`."""
        async with asyncio.timeout(seconds):
            end = await self.call.ended()
        return f"{end.by} {end.how}"

    @property
    def reason(self) -> str:
        """The Reason header with which the other side ended the call."""
        message = self.call.end.message if self.call.end else None
        return (message.headers.get("Reason") or "") if message else ""


class Phones:
    """One endpoint; calls to it go to the taker of their user part."""

    def __init__(self) -> None:
        self.takers: dict[str, Taker] = {}
        self.parties: dict[str, list[Party]] = {}
        self.endpoint = SipEndpoint(on_invite=self._take)

    async def __aenter__(self) -> Phones:
        await self.endpoint.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.endpoint.stop()
        for parties in self.parties.values():
            for party in parties:
                party.media.close()

    def uri(self, user: str) -> str:
        return f"sip:{user}@127.0.0.1:{self.endpoint.port}"

    def phone(self, user: str, taker: Taker) -> str:
        """A phone that takes calls like this; its URI."""
        self.takers[user] = taker
        return self.uri(user)

    async def _take(self, call: IncomingCall) -> None:
        user = call.request.uri.partition(":")[2].partition("@")[0].partition(";")[0]
        party = Party(call, await RtpSession.open())
        self.parties.setdefault(user, []).append(party)
        await self.takers.get(user, answers)(party)

    async def called(self, user: str, count: int = 1) -> Party:
        """The `count`th call that came for a user."""
        await until(lambda: len(self.parties.get(user, [])) >= count, f"a call to {user}")
        return self.parties[user][count - 1]

    async def start(
        self,
        user: str,
        address: str,
        *headers: tuple[str, str],
        from_: str = "<sip:alice@127.0.0.1>",
        sdp: bytes | None = None,
    ) -> Party:
        """Send an INVITE; the party before anything came back."""
        media = await RtpSession.open()
        offer = build_offer(media.host, media.port) if sdp is None else sdp
        call = await self.endpoint.invite(f"sip:{user}@{address}", from_, sdp=offer, headers=headers)
        party = Party(call, media)
        self.parties.setdefault("", []).append(party)
        return party

    async def call(self, user: str, address: str, *headers: tuple[str, str], **options: Any) -> Party:
        """Call and wait for the answer. Raises CallFailed."""
        party = await self.start(user, address, *headers, **options)
        await picked_up(party)
        return party

    async def refused(self, user: str, address: str, **options: Any) -> int:
        """The status with which a call is refused."""
        party = await self.start(user, address, **options)
        try:
            async with asyncio.timeout(8):
                await picked_up(party)
        except CallFailed as failed:
            return failed.code
        raise AssertionError("the call was answered")


async def picked_up(party: Party, seconds: float = 8.0) -> None:
    """Wait until a party's own call is answered. Raises CallFailed."""
    assert isinstance(party.call, OutgoingCall)
    async with asyncio.timeout(seconds):
        await party.call.answered()
    party.media.apply(read_answer(party.request.body, party.call.remote_sdp))


def early_media(party: Party) -> None:
    """Listen to what an answer before the answer announces."""
    party.media.apply(read_answer(party.request.body, party.call.remote_sdp))


async def answers(party: Party) -> None:
    """A phone that rings and answers at once."""
    assert isinstance(party.call, IncomingCall)
    party.call.progress(180)
    party.answer()


async def rings(party: Party) -> None:
    """A phone that only rings."""
    assert isinstance(party.call, IncomingCall)
    party.call.progress(180)


def refuses(code: int, *headers: tuple[str, str]) -> Taker:
    """A phone that refuses."""

    async def refuse(party: Party) -> None:
        assert isinstance(party.call, IncomingCall)
        party.call.reject(code, headers=headers)

    return refuse


FRAMES_PER_SECOND = 8000 * 2 // FRAME_BYTES
