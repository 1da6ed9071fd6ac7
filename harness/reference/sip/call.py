"""What incoming and outgoing calls share once they exist: ending, BYE, re-INVITE, in-dialog requests (RFC 3261 §12-15).

`incoming` and `outgoing` extend Call; systems use the public members. It sends through the endpoint (`Core`) and
never decides what a call is for.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .dialog import Dialog
from .message import REASONS, HeaderList, Request, Response, response_to
from .transactions import ServerTransaction, SipTimers
from .transport import Address

if TYPE_CHECKING:
    from .digest import Credentials
    from .exchange import Exchange


class Refused(Exception):  # noqa: N818
    """Raised by a handler to answer a request with this status instead of 500."""

    def __init__(self, code: int, reason: str | None = None, headers: HeaderList = ()) -> None:
        super().__init__(f"{code} {reason or REASONS.get(code, '')}")
        self.code = code
        self.reason = reason
        self.headers = list(headers)


class CallFailed(Exception):  # noqa: N818
    """A request of ours had no success.

    `code` and `reason` are the response's, or 408 after silence and 503 where nothing could be sent; `response` is
    None then. `cause`: "refused", "cancelled" (by us), "ring-timeout", "timeout", "transport", or "ended".
    """

    def __init__(self, code: int, reason: str, cause: str, response: Response | None = None) -> None:
        super().__init__(f"{code} {reason} ({cause})")
        self.code = code
        self.reason = reason
        self.cause = cause
        self.response = response


class CallState(enum.Enum):
    """Where a call stands."""

    CALLING = "calling"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(frozen=True)
class CallEnd:
    """How a call ended. `by`: "local", "remote" or "error"; `how`: "bye", "cancel", "rejected", "failed",
    "ring-timeout", "no-ack", "error", "stopped"; `message`: the BYE, CANCEL or final response, if one came."""

    by: str
    how: str
    code: int
    reason: str
    message: Request | Response | None = None


class Core(Protocol):
    """What calls need of the endpoint."""

    timers: SipTimers

    def exchange(
        self,
        make: Callable[[list[tuple[str, str]]], Request],
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
        credentials: Credentials | None = None,
    ) -> Exchange: ...
    def send_ack(self, request: Request, address: Address) -> bytes: ...
    def repeat(self, data: bytes, address: Address) -> None: ...
    def contact_for(self, user: str, address: Address) -> str: ...
    def hop(self, dialog: Dialog) -> Address: ...
    def run(self, handler: Callable[..., Any] | None, *args: Any) -> None: ...
    def forget(self, call: Call) -> None: ...
    def log_failure(self, handler: object) -> None: ...

    @property
    def allow(self) -> str: ...


class Confirmation:
    """Repeats a 2xx of an INVITE until its ACK comes (§13.3.1.4), on any transport."""

    def __init__(self, core: Core, sent: tuple[bytes, Address], on_timeout: Callable[[], None]) -> None:
        self._core = core
        self._sent = sent
        loop = asyncio.get_running_loop()
        self._doom = loop.call_later(core.timers.timeout, self._give_up, on_timeout)
        self._repeat = loop.call_later(core.timers.t1, self._again, core.timers.t1)

    def _again(self, interval: float) -> None:
        self._core.repeat(*self._sent)
        interval = min(interval * 2, self._core.timers.t2)
        self._repeat = asyncio.get_running_loop().call_later(interval, self._again, interval)

    def _give_up(self, on_timeout: Callable[[], None]) -> None:
        self.stop()
        on_timeout()

    def stop(self) -> None:
        """The ACK came, or the call is over."""
        self._repeat.cancel()
        self._doom.cancel()


class Call:
    """One call of either direction; see the package's description for its members."""

    direction = ""

    def __init__(self, core: Core, request: Request, dialog: Dialog, contact: str) -> None:
        self._core = core
        self.request = request
        self.dialog = dialog
        self.state = CallState.CALLING
        self.local_sdp: bytes | None = None
        self.remote_sdp: bytes | None = request.body or None
        self.contact = contact
        self.credentials: Credentials | None = None
        self.created_at = asyncio.get_running_loop().time()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.end: CallEnd | None = None
        self.on_end: Callable[[CallEnd], Any] | None = None
        self.on_bye: Callable[[Request], Any] | None = None
        self.on_ack: Callable[[Request], Any] | None = None
        self.on_info: Callable[[Request], int | Awaitable[int | None] | None] | None = None
        self.on_reinvite: Callable[[Request], bytes | Awaitable[bytes | None] | None] | None = None
        self._ended: asyncio.Future[CallEnd] = asyncio.get_running_loop().create_future()
        self._confirmations: dict[int, Confirmation] = {}
        self._confirmed = asyncio.Event()
        self._confirmed.set()
        self._reinviting = False
        self._limit: asyncio.TimerHandle | None = None

    def _mark_answered(self) -> None:
        """The call stands; from now on its length is limited, so that a peer that vanished holds nothing for ever."""
        loop = asyncio.get_running_loop()
        self.state = CallState.ANSWERED
        self.answered_at = loop.time()
        self._limit = loop.call_later(self._core.timers.call_limit, self.hangup)

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.dialog.call_id

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.state is CallState.ENDED

    async def ended(self) -> CallEnd:
        """Wait until the call is over, for whatever reason."""
        return await asyncio.shield(self._ended)

    def hangup(self, headers: HeaderList = ()) -> bool:
        """End the call as fits its state; False when it was over already."""
        raise NotImplementedError

    def finish(self, end: CallEnd) -> None:
        """Mark the call as over, free what it holds and tell whoever waits. The engine calls it; once counts."""
        if self.over:
            return
        self.state = CallState.ENDED
        self.end = end
        self.ended_at = asyncio.get_running_loop().time()
        for confirmation in self._confirmations.values():
            confirmation.stop()
        self._confirmations.clear()
        self._confirmed.set()
        if self._limit is not None:
            self._limit.cancel()
        self._core.forget(self)
        self._ended.set_result(end)
        self._core.run(self.on_end, end)
        self.on_end = self.on_bye = self.on_ack = self.on_info = self.on_reinvite = None

    def _bye(self, headers: HeaderList, end: CallEnd) -> None:
        """Send BYE and be over; the transaction sees to its answer."""
        lines = list(headers)
        self._request("BYE", lines, b"", None, lambda _response: None, lambda _cause: None)
        self.finish(end)

    def _request(
        self,
        method: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        content_type: str | None,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
    ) -> Exchange:
        lines = list(headers)
        if method == "INVITE":
            lines.append(("Contact", self.contact))
            lines.append(("Allow", self._core.allow))

        def make(extra: list[tuple[str, str]]) -> Request:
            return self.dialog.request(method, [*lines, *extra], body, content_type)

        return self._core.exchange(make, self._core.hop(self.dialog), on_response, on_failure, self.credentials)

    async def request_in_dialog(
        self, method: str, headers: HeaderList = (), body: bytes = b"", content_type: str | None = None
    ) -> Response:
        """Send INFO or the like and wait for its final response, whatever it is.

        Raises CallFailed when none came or the call is over.
        """
        if self.state is not CallState.ANSWERED:
            raise CallFailed(481, "no confirmed dialog", "ended")
        outcome: asyncio.Future[Response | str] = asyncio.get_running_loop().create_future()

        def settle(result: Response | str) -> None:
            if not outcome.done() and (isinstance(result, str) or result.status >= 200):
                outcome.set_result(result)
            elif isinstance(result, Response) and method == "INVITE" and 200 <= result.status < 300:
                self._acknowledge(exchange.request, result)

        exchange = self._request(method, headers, body, content_type, settle, settle)
        result = await outcome
        if isinstance(result, str):
            code = 408 if result == "timeout" else 503
            raise CallFailed(code, REASONS[code], result)
        if method == "INVITE" and 200 <= result.status < 300:
            self._acknowledge(exchange.request, result)
        return result

    async def reinvite(self, sdp: bytes, headers: HeaderList = ()) -> Response:
        """Offer new media, once the peer has acknowledged our own 2xx (§14.1); the 2xx, whose SDP is then `remote_sdp`.

        Raises CallFailed otherwise. A 481, a 408 or silence ends the call, as RFC 3261 §12.2.1.2 has it.
        """
        if self._reinviting:
            raise CallFailed(491, REASONS[491], "refused")
        self._reinviting = True
        try:
            await self._confirmed.wait()
            response = await self.request_in_dialog("INVITE", headers, sdp)
        except CallFailed as failure:
            if failure.cause in ("timeout", "transport") and not self.over:
                self._bye((), CallEnd("error", "failed", failure.code, failure.reason))
            raise
        finally:
            self._reinviting = False
        if response.status >= 300:
            if response.status in (408, 481) and not self.over:
                self._bye((), CallEnd("error", "failed", response.status, response.reason, response))
            raise CallFailed(response.status, response.reason, "refused", response)
        self.local_sdp = sdp
        self.remote_sdp = response.body or self.remote_sdp
        self.dialog.refresh_target(response)
        return response

    def _acknowledge(self, invite: Request, response: Response, sdp: bytes = b"") -> bytes:
        """Send the ACK of a 2xx; the bytes, for when the 2xx comes again."""
        seq = response.cseq[0]
        proofs = [(name, value) for name, value in invite.headers if name.lower().endswith("authorization")]
        ack = self.dialog.request("ACK", proofs, sdp, seq=seq)
        return self._core.send_ack(ack, self._core.hop(self.dialog))

    def acknowledged(self, ack: Request) -> None:
        """An ACK came for a 2xx of ours. The engine calls it."""
        confirmation = self._confirmations.pop(ack.cseq[0], None)
        if confirmation is not None:
            confirmation.stop()
            if not self._confirmations:
                self._confirmed.set()
            self.remote_sdp = ack.body or self.remote_sdp
            self._core.run(self.on_ack, ack)

    def receive(self, request: Request, transaction: ServerTransaction) -> None:
        """A request inside this dialog. The engine calls it."""
        if request.cseq[0] < self.dialog.remote_seq:
            self._respond(request, transaction, 500, reason="CSeq out of order")
            return
        self.dialog.remote_seq = request.cseq[0]
        if request.method == "BYE":
            self._respond(request, transaction, 200)
            self.remote_bye(request)
        elif request.method == "INFO":
            self._core.run(self._answer_info, request, transaction)
        elif request.method == "INVITE":
            self._core.run(self._answer_reinvite, request, transaction)
        else:
            self._respond(request, transaction, 405, [("Allow", self._core.allow)])

    def remote_bye(self, request: Request) -> None:
        """The other side hung up."""
        self._core.run(self.on_bye, request)
        self.finish(CallEnd("remote", "bye", 200, REASONS[200], request))

    def _respond(
        self,
        request: Request,
        transaction: ServerTransaction,
        status: int,
        headers: HeaderList = (),
        body: bytes = b"",
        reason: str | None = None,
    ) -> None:
        lines = list(headers)
        if body:
            lines.append(("Content-Type", "application/sdp"))
        transaction.respond(response_to(request, status, reason, lines, body, self.dialog.local.tag))

    async def _answer_info(self, request: Request, transaction: ServerTransaction) -> None:
        status, headers = await self._handled(self.on_info, request)
        code = status if isinstance(status, int) else 200
        self._respond(request, transaction, code, headers)

    async def _answer_reinvite(self, request: Request, transaction: ServerTransaction) -> None:
        if self._reinviting or self._confirmations or self.state is not CallState.ANSWERED:
            self._respond(request, transaction, 491)
            return
        self._reinviting = True
        try:
            result, headers = await self._handled(self.on_reinvite, request)
        finally:
            self._reinviting = False
        if self.over:
            self._respond(request, transaction, 487)
        elif isinstance(result, int):
            self._respond(request, transaction, result, headers)
        else:
            self.local_sdp = result or self.local_sdp
            self.remote_sdp = request.body or self.remote_sdp
            self.dialog.refresh_target(request)
            lines = [("Contact", self.contact), ("Allow", self._core.allow)]
            self._respond(request, transaction, 200, lines, self.local_sdp or b"")
            self._confirm(request, transaction)

    async def _handled(self, handler: Callable[[Request], Any] | None, request: Request) -> tuple[Any, HeaderList]:
        """What a handler gave, or the status that its failure means; without a handler None."""
        if handler is None:
            return None, ()
        try:
            result = handler(request)
            return (await result if isinstance(result, Awaitable) else result), ()
        except Refused as refused:
            return refused.code, refused.headers
        except Exception:  # noqa: BLE001 - a handler's fault is answered and logged, and ends nothing else
            self._core.log_failure(handler)
            return 500, ()

    def _confirm(self, request: Request, transaction: ServerTransaction) -> None:
        """Repeat the 2xx just sent until its ACK; without one the call is over."""
        self._confirmations[request.cseq[0]] = Confirmation(self._core, transaction.sent, self._no_ack)
        self._confirmed.clear()

    def _no_ack(self) -> None:
        self._confirmations.clear()
        if not self.over:
            self._bye((), CallEnd("error", "no-ack", 408, "no ACK"))
