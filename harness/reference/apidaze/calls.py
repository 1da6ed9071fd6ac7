"""Runs the external script of each call: fetches it, and does what its instructions say.

Called by the SIP side with calls whose caller is known. Every step is a small method; what is heard is the media
library's business. Nothing here outlives its call.
"""

from __future__ import annotations

import asyncio
import logging

from harness.reference.apidaze.script import CallScript, ScriptError, Verb, parse_script, wait_seconds
from harness.reference.apidaze.speech import Speech
from harness.reference.apidaze.store import Store
from harness.reference.fetch import Fetcher, FetchError
from harness.reference.sip import IncomingCall, Refused
from harness.reference.sip.waiting import until_over

MAX_CALLS = 500
_MAX_CALL_SECONDS = 3600.0
_log = logging.getLogger("ringtrue.apidaze")


class Calls:
    """The calls that run a script now."""

    def __init__(self, store: Store, fetcher: Fetcher) -> None:
        self.store = store
        self.fetcher = fetcher
        self._running = 0

    async def run(self, call: IncomingCall, username: str, host: str) -> None:
        """Run the current script for this call, until one of the two ends; media use a port of `host`.

        Raises Refused to refuse the call.
        """
        if self._running >= MAX_CALLS:
            raise Refused(503)
        self._running += 1
        speech = Speech(call, self.fetcher, host)
        try:
            async with asyncio.timeout(_MAX_CALL_SECONDS):
                await until_over(call, self._run(call, username, speech))
        except TimeoutError:
            _log.warning("call %s: ended after %.0f seconds", call.call_id, _MAX_CALL_SECONDS)
        finally:
            self._running -= 1
            speech.close()
            # A refusal is the endpoint's to send; an answered call must not outlive its script.
            if not call.unanswered:
                call.hangup()

    async def _run(self, call: IncomingCall, username: str, speech: Speech) -> None:
        script = await self.script_for(call, username)
        for verb in script.verbs:
            if verb.name == "hangup":
                break
            await self.perform(verb, call, speech)
        self.end(call)

    async def script_for(self, call: IncomingCall, username: str) -> CallScript:
        """The script that this call runs. Raises Refused: 404 without any, 503 unreachable, 500 invalid."""
        url = self.script_url()
        if url is None:
            _log.info("call %s from %s: there is no external script", call.call_id, username)
            raise Refused(404)
        _log.info("call %s from %s runs %s", call.call_id, username, url)
        try:
            fetched = await self.fetcher.get(url)
            if not 200 <= fetched.status < 300:
                raise FetchError(f"answered {fetched.status}")
            script = parse_script(fetched.body)
        except FetchError as error:
            _log.warning("call %s: script %s: %s", call.call_id, url, error)
            raise Refused(503) from error
        except ScriptError as error:
            _log.warning("call %s: script %s: %s", call.call_id, url, error)
            raise Refused(500) from error
        for name in script.ignored:
            _log.warning("call %s: script %s: <%s> is not known here, left out", call.call_id, url, name)
        return script

    def script_url(self) -> str | None:
        script = self.store.current_script()
        return script.url if script else None

    async def perform(self, verb: Verb, call: IncomingCall, speech: Speech) -> None:
        """One instruction. Speaking and playing answer the call first, as there is nobody to hear them else."""
        _log.debug("call %s: %s %s", call.call_id, verb.name, verb.text)
        if verb.name == "wait":
            await asyncio.sleep(wait_seconds(verb))
            return
        await speech.answer()
        if verb.name == "speak":
            await speech.speak(verb.text)
        elif verb.name == "playback":
            await speech.play(verb.text)

    def end(self, call: IncomingCall) -> None:
        """The script is over: hang up, or refuse what it never answered (RFC 3261 section 21.6.2)."""
        if not call.reject(603):
            call.hangup()
