"""Runs the verbs of a call in their order: dial, say, play, gather, reject, hangup, redirect (CA Create a Voice call).

Called for created voice calls once their target has answered, and for incoming calls that a flow hook steers. Every verb is
a small method. It ends with the party: `until_over` stops whatever runs when that one hangs up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from harness.reference.callable.calling.dialler import Dialler
from harness.reference.callable.calling.hooks import HookError, Hooks
from harness.reference.callable.calling.legs import Leg
from harness.reference.callable.calling.live import LiveCall
from harness.reference.callable.store import Store
from harness.reference.callable.verbs import Dial, Gather, Hangup, Play, Redirect, Reject, Say, Verb
from harness.reference.fetch import Fetcher, FetchError
from harness.reference.media import Relay, load_wav
from harness.reference.media.audio import AudioError
from harness.reference.sip import CallFailed, IncomingCall

_MAX_VERBS_PER_CALL = 500
_BUSY = ("busy", "user-busy")
_log = logging.getLogger("ringtrue.callable")


class Runner:
    """Does what verbs say."""

    def __init__(self, store: Store, dialler: Dialler, hooks: Hooks, fetcher: Fetcher) -> None:
        self.store = store
        self.dialler = dialler
        self.hooks = hooks
        self.fetcher = fetcher

    async def run(self, live: LiveCall, verbs: Sequence[Verb]) -> None:
        """Run verbs until there are none left, or the call is over; then it is ended."""
        waiting = deque(verbs)
        for _ in range(_MAX_VERBS_PER_CALL):
            if not waiting or live.leg.over:
                break
            verb = waiting.popleft()
            _log.debug("call %s: %s", live.id, verb)
            instead = await self.perform(live, verb, last=not waiting)
            if instead is not None:
                waiting = deque(instead)
        self.end(live)

    async def perform(self, live: LiveCall, verb: Verb, *, last: bool) -> Sequence[Verb] | None:
        """One verb; gives the verbs that take the place of all that follow, or None to go on."""
        match verb:
            case Say():
                await self.say(live, verb)
            case Play():
                await self.play(live, verb)
            case Gather():
                await self.gather(live, verb)
                if last and live.hook is not None:
                    return await self.ask(live, "gather")
            case Dial():
                await self.dial(live, verb)
            case Reject():
                self.reject(live, verb)
                return ()
            case Hangup():
                self.hangup(live)
                return ()
            case Redirect():
                return await self.redirect(live, verb)
        return None

    def end(self, live: LiveCall) -> None:
        """The verbs are over, so the call is: a caller who was never answered is refused."""
        call = live.leg.call
        if not (isinstance(call, IncomingCall) and call.reject(live.failure)):
            live.leg.hangup()

    async def say(self, live: LiveCall, verb: Say) -> None:
        await live.leg.answer()
        for words in verb.texts:
            await live.leg.say(words)

    async def play(self, live: LiveCall, verb: Play) -> None:
        """The wav file at each URL; one that cannot be had or played is left out."""
        await live.leg.answer()
        for url in verb.urls:
            try:
                fetched = await self.fetcher.get(url)
                if not 200 <= fetched.status < 300:
                    raise FetchError(f"answered {fetched.status}")
                pcm = await asyncio.to_thread(load_wav, fetched.body)
            except (FetchError, AudioError) as error:
                _log.warning("call %s: %s is left out: %s", live.id, url, error)
                continue
            await live.leg.play(pcm)

    async def gather(self, live: LiveCall, verb: Gather) -> None:
        """Take digits into `live.digits`."""
        await live.leg.answer()
        pressed: asyncio.Queue[str] = asyncio.Queue()
        session = live.leg.session
        session.on_digit = pressed.put_nowait
        digits = ""
        try:
            while len(digits) < verb.max_digits:
                digit = await asyncio.wait_for(pressed.get(), verb.timeout)
                if digit == verb.finish_key:
                    break
                digits += digit
        except TimeoutError:
            _log.debug("call %s: no more digits", live.id)
        finally:
            session.on_digit = None
        live.digits = digits
        self.hooks.tell(live, "call.gathered", digits=digits)

    async def dial(self, live: LiveCall, verb: Dial) -> None:
        """Call the targets, and connect the first to answer until one of the two hangs up or the time is over."""
        account = self.store.account(live.account)
        assert account is not None
        number = verb.caller_id or live.caller
        try:
            other = await self.dialler.first_of(account, verb.targets, number, verb.timeout, live.leg.ringing)
        except CallFailed as failure:
            live.failure = failure.code
            self.hooks.tell(live, "dial.failed", code=failure.code)
            return
        await self.bridge(live, other, verb.time_limit)

    async def bridge(self, live: LiveCall, other: Leg, limit_seconds: float | None) -> None:
        """Let the two hear each other; afterwards the other one is hung up."""
        relay = self.join(live.leg, other)
        try:
            await live.leg.answer()
            self.hooks.tell(live, "call.connected")
            async with asyncio.timeout(limit_seconds):
                await other.ended()
        except TimeoutError:
            _log.info("call %s: the connection has lasted %s seconds", live.id, limit_seconds)
        finally:
            relay.stop()
            other.close()

    def join(self, leg: Leg, other: Leg) -> Relay:
        """Let each hear what the other says."""
        return Relay(leg.session, other.session)

    def reject(self, live: LiveCall, verb: Reject) -> None:
        """Refuse a call that was not answered yet; an answered one is ended."""
        live.failure = 486 if verb.reason.lower() in _BUSY else 603
        self.end(live)

    def hangup(self, live: LiveCall) -> None:
        live.leg.hangup()

    async def redirect(self, live: LiveCall, verb: Redirect) -> Sequence[Verb]:
        """The verbs of a URL, or of the flow hook that steers the call, or of the account's first flow hook."""
        if verb.url:
            return await self.ask(live, "redirect", verb.url)
        if live.hook is None:
            account = self.store.account(live.account)
            hooks = self.store.hooks(account, "flow.generic") if account else []
            live.hook = hooks[0] if hooks else None
        return await self.ask(live, "redirect")

    async def ask(self, live: LiveCall, action: str, url: str | None = None) -> Sequence[Verb]:
        """What the application says; nothing usable ends the call."""
        hook = live.hook
        try:
            if url is not None:
                return await self.hooks.ask(live, url, "POST", action)
            if hook is None:
                raise HookError("no flow hook is there to ask")
            return await self.hooks.ask(live, self.hooks.url_of(hook), self.hooks.method_of(hook), action)
        except HookError as error:
            _log.warning("call %s: %s", live.id, error)
            live.failure = 503
            return ()
