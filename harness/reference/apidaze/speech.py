"""What the caller of one call hears. Made by `calls` for each call and closed with it.

It answers with a PCMU port that nothing is sent from yet: instructions to speak and play pass without a sound.
"""

from __future__ import annotations

from harness.reference.fetch import Fetcher
from harness.reference.sip import IncomingCall

_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
_SDP += "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"


class Speech:
    def __init__(self, call: IncomingCall, fetcher: Fetcher) -> None:
        self._call = call
        self._fetcher = fetcher

    async def answer(self) -> None:
        self._call.answer(_SDP.encode())

    async def speak(self, text: str) -> None:
        pass

    async def play(self, url: str) -> None:
        pass

    def close(self) -> None:
        pass
