"""An incoming call: the UAS side of an INVITE until it is answered or refused (RFC 3261 §13.3).

The endpoint makes one per INVITE and hands it to `on_invite`. It sends what it is told to; it never answers by itself
except when nobody does within the ring limit.
"""

from __future__ import annotations

import asyncio

from .call import Call, CallEnd, CallState, Core
from .dialog import Dialog
from .message import REASONS, HeaderList, Request, response_to
from .transactions import ServerTransaction
from .transport import Address
from .uri import parse_name_addr


class IncomingCall(Call):
    """A call that reached us. `source` is where its INVITE came from."""

    direction = "in"

    def __init__(self, core: Core, request: Request, transaction: ServerTransaction, source: Address) -> None:
        user = parse_name_addr(f"<{request.uri}>").user
        super().__init__(core, request, Dialog.for_uas(request, source), core.contact_for(user, source))
        self.source = source
        self._transaction = transaction
        self._bye_when_acked: tuple[HeaderList, CallEnd] | None = None
        transaction.on_cancel = self._cancelled
        loop = asyncio.get_running_loop()
        self._ring_limit = loop.call_later(core.timers.ring_limit, self.reject, 480)

    @property
    def unanswered(self) -> bool:
        """Whether no final response was sent yet."""
        return self.state in (CallState.CALLING, CallState.RINGING)

    def progress(
        self, code: int = 180, sdp: bytes | None = None, headers: HeaderList = (), reason: str | None = None
    ) -> bool:
        """Send a provisional response (101 to 199); False when the call is answered or over."""
        if not self.unanswered:
            return False
        self.state = CallState.RINGING
        self._reply(code, sdp, headers, reason)
        return True

    def answer(self, sdp: bytes | None = None, headers: HeaderList = ()) -> bool:
        """Answer with 200; False when the call is answered or over (cancelled in the meantime)."""
        if not self.unanswered:
            return False
        self._ring_limit.cancel()
        self._mark_answered()
        self._reply(200, sdp, headers, None)
        self._confirm(self.request, self._transaction)
        return True

    def reject(self, code: int, reason: str | None = None, headers: HeaderList = ()) -> bool:
        """Refuse with a final response of 300 or more; False when the call is answered or over."""
        if not self.unanswered:
            return False
        self._respond(self.request, self._transaction, code, headers, reason=reason)
        self.finish(CallEnd("local", "rejected", code, reason or REASONS.get(code, "")))
        return True

    def hangup(self, headers: HeaderList = ()) -> bool:
        """BYE once the ACK is here (§15); an unanswered call is refused with 480."""
        if self.unanswered:
            return self.reject(480, headers=headers)
        if self.over or self._bye_when_acked:
            return False
        end = CallEnd("local", "bye", 200, REASONS[200])
        if self.request.cseq[0] in self._confirmations:
            self._bye_when_acked = (list(headers), end)
        else:
            self._bye(headers, end)
        return True

    def acknowledged(self, ack: Request) -> None:
        super().acknowledged(ack)
        if self._bye_when_acked and not self.over and self.request.cseq[0] not in self._confirmations:
            self._bye(*self._bye_when_acked)

    def _no_ack(self) -> None:
        if self._bye_when_acked and not self.over:
            self._bye(*self._bye_when_acked)
        else:
            super()._no_ack()

    def remote_bye(self, request: Request) -> None:
        if self.unanswered:
            self._respond(self.request, self._transaction, 487)
        super().remote_bye(request)

    def finish(self, end: CallEnd) -> None:
        self._ring_limit.cancel()
        self._transaction.on_cancel = None
        super().finish(end)

    def _reply(self, code: int, sdp: bytes | None, headers: HeaderList, reason: str | None) -> None:
        lines = [("Record-Route", row) for row in self.request.headers.rows("Record-Route")]
        lines += [("Contact", self.contact), ("Allow", self._core.allow), *headers]
        if sdp:
            self.local_sdp = sdp
            lines.append(("Content-Type", "application/sdp"))
        response = response_to(self.request, code, reason, lines, sdp or b"", self.dialog.local.tag)
        self._transaction.respond(response)

    def _cancelled(self, cancel: Request) -> None:
        if self.unanswered:
            self._respond(self.request, self._transaction, 487)
            self.finish(CallEnd("remote", "cancel", 487, REASONS[487], cancel))
