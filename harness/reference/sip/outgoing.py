"""An outgoing call: the UAC side of an INVITE, its ringing, answer, failure and CANCEL (RFC 3261 §9, §13.2).

`SipEndpoint.invite` makes one. It acknowledges, cancels and cleans up after late or second answers by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .call import Call, CallEnd, CallFailed, CallState, Core
from .dialog import Dialog
from .message import REASONS, HeaderList, Headers, Request, Response
from .transport import Address

_KEPT_PROVISIONALS = 32


class OutgoingCall(Call):
    """A call that we place. `provisionals` keeps the first 1xx responses (not 100)."""

    direction = "out"

    def __init__(self, core: Core, request: Request, dialog: Dialog, contact: str) -> None:
        super().__init__(core, request, dialog, contact)
        self.local_sdp, self.remote_sdp = request.body or None, None
        self.on_progress: Callable[[Response], Any] | None = None
        self.on_offer: Callable[[bytes], bytes | None] | None = None
        self.provisionals: list[Response] = []
        self._outcome: asyncio.Future[Response | CallFailed] = asyncio.get_running_loop().create_future()
        self._cancelling: tuple[str, list[tuple[str, str]]] | None = None
        self._cancel_sent = False
        self._provisional = False
        self._ring_timer: asyncio.TimerHandle | None = None
        self._ack: tuple[bytes, Address] | None = None

    def start(self, address: Address, ring_timeout: float) -> None:
        """Send the INVITE. The endpoint calls it."""
        self._address = address
        self.dialog.flow = address
        loop = asyncio.get_running_loop()
        self._ring_timer = loop.call_later(ring_timeout, self._cancel, "ring-timeout", ())
        first = self.request

        def make(extra: list[tuple[str, str]]) -> Request:
            if not extra:
                return first
            self.dialog.local_seq += 1
            again = Request("INVITE", first.uri, first.headers.copy(), first.body)
            again.headers.remove("Via")
            again.headers.set("CSeq", f"{self.dialog.local_seq} INVITE")
            for name, value in extra:
                again.headers.add(name, value)
            return again

        self._exchange = self._core.exchange(make, address, self._received, self._failed, self.credentials)

    @property
    def heard(self) -> bool:
        """Whether the far side has said anything at all, 100 included."""
        return self._provisional or self.answered_at is not None or self._outcome.done()

    async def answered(self) -> Response:
        """Wait for the answer: the 2xx. Raises CallFailed when the call is refused, cancelled or lost."""
        outcome = await asyncio.shield(self._outcome)
        if isinstance(outcome, CallFailed):
            raise outcome
        return outcome

    def hangup(self, headers: HeaderList = ()) -> bool:
        """BYE when answered, else CANCEL (sent once a provisional response allows it)."""
        if self.over:
            return False
        if self.state is CallState.ANSWERED:
            self._bye(headers, CallEnd("local", "bye", 200, REASONS[200]))
            return True
        return self._cancel("cancelled", headers)

    def _cancel(self, cause: str, headers: HeaderList) -> bool:
        if self._cancelling or self.over or self.state is CallState.ANSWERED:
            return False
        self._cancelling = (cause, list(headers))
        self._exchange.stopped = True
        if self._provisional:
            self._send_cancel()
        return True

    def _send_cancel(self) -> None:
        """CANCEL goes the way of the INVITE, with its branch (§9.1)."""
        assert self._cancelling is not None
        self._cancel_sent = True
        invite = self._exchange.request
        headers = Headers([("Via", str(invite.via)), ("Max-Forwards", "70")])
        for name in ("From", "To", "Call-ID", "Route"):
            for row in invite.headers.rows(name):
                headers.add(name, row)
        headers.add("CSeq", f"{invite.cseq[0]} CANCEL")
        for name, value in self._cancelling[1]:
            headers.add(name, value)
        cancel = Request("CANCEL", invite.uri, headers)
        self._core.exchange(lambda _extra: cancel, self._address, lambda _response: None, lambda _cause: None)
        self._exchange.transaction.give_up_after(self._core.timers.timeout)

    def _received(self, response: Response) -> None:
        if response.status < 200:
            self._progressed(response)
        elif response.status < 300:
            self._accepted(response)
        else:
            cause = self._cancelling[0] if self._cancelling else "refused"
            self._fail(CallFailed(response.status, response.reason, cause, response))

    def _progressed(self, response: Response) -> None:
        self._provisional = True
        if self._cancelling:
            if not self._cancel_sent:
                self._send_cancel()
            return
        if response.status == 100 or self.over:
            return
        self.state = CallState.RINGING
        if len(self.provisionals) < _KEPT_PROVISIONALS:
            self.provisionals.append(response)
        if response.body:
            self.remote_sdp = response.body
        self._core.run(self.on_progress, response)

    def _accepted(self, response: Response) -> None:
        if self._ack is not None and response.to.tag == self.dialog.remote.tag:
            self._core.repeat(*self._ack)
            return
        if self._ack is not None or self.over:
            self._drop_second_answer(response)
            return
        self._stop_ringing()
        self.dialog.learn(response)
        sdp = self._answer_to_late_offer(response)
        self._mark_answered()
        self.remote_sdp = response.body or self.remote_sdp
        self._ack = (self._acknowledge(self._exchange.request, response, sdp), self._core.hop(self.dialog))
        if self._cancelling:
            cause, headers = self._cancelling
            self._outcome.set_result(CallFailed(487, REASONS[487], cause, response))
            self._bye(headers, CallEnd("local", "cancel", 487, REASONS[487], response))
            return
        self._outcome.set_result(response)

    def _answer_to_late_offer(self, response: Response) -> bytes:
        """The SDP that the ACK carries when our INVITE had no offer (§13.2.1)."""
        if self.request.body or not response.body or self.on_offer is None:
            return b""
        self.local_sdp = self.on_offer(response.body)
        return self.local_sdp or b""

    def _drop_second_answer(self, response: Response) -> None:
        """A 2xx of another branch of a forked INVITE, or one after we gave up: acknowledge and hang up."""
        other = Dialog(self.call_id, self.dialog.local, response.to, self.dialog.remote_target, response.cseq[0])
        other.learn(response)
        other.flow = self.dialog.flow
        hop = self._core.hop(other)
        self._core.send_ack(other.request("ACK", seq=response.cseq[0]), hop)
        self._core.exchange(
            lambda extra: other.request("BYE", extra), hop, lambda _r: None, lambda _c: None, self.credentials
        )

    def _failed(self, cause: str) -> None:
        if self._cancelling:
            self._fail(CallFailed(487, REASONS[487], self._cancelling[0]))
        else:
            code = 408 if cause == "timeout" else 503
            self._fail(CallFailed(code, REASONS[code], cause))

    def _fail(self, failure: CallFailed) -> None:
        if self.over:
            return
        by, how = ("remote" if failure.response else "error"), "failed"
        if self._cancelling:
            by, how = "local", ("ring-timeout" if failure.cause == "ring-timeout" else "cancel")
        self._outcome.set_result(failure)
        self.finish(CallEnd(by, how, failure.code, failure.reason, failure.response))

    def finish(self, end: CallEnd) -> None:
        self._stop_ringing()
        super().finish(end)
        if not self._outcome.done():
            self._outcome.set_result(CallFailed(end.code, end.reason, end.how))
        self.on_progress = self.on_offer = None

    def _stop_ringing(self) -> None:
        if self._ring_timer is not None:
            self._ring_timer.cancel()
            self._ring_timer = None
