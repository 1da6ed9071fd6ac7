"""Client and server transactions with their timers (RFC 3261 §17, RFC 6026).

The endpoint hands messages in and gets events through callbacks. A transaction retransmits, absorbs retransmissions,
and frees itself when its last timer runs out; it knows nothing of dialogs or calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from .message import Headers, Request, Response
from .transport import Address

Key = tuple[str, ...]
MAGIC = "z9hG4bK"


@dataclass(frozen=True)
class SipTimers:
    """RFC 3261 timer values in seconds; tests use small ones.

    `ring_limit` ends calls that nobody answers, `call_limit` answered ones that nobody ends.
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    ring_limit: float = 180.0
    call_limit: float = 7200.0

    @property
    def timeout(self) -> float:
        """Timers B, D, F, H, J, L and M: 64 times T1."""
        return 64 * self.t1


def server_key(request: Request) -> Key:
    """What identifies a server transaction (§17.2.3); an ACK or a CANCEL finds the INVITE by `invite_key`."""
    return _key(request, request.method)


def invite_key(request: Request) -> Key:
    """The key of the INVITE transaction that an ACK or a CANCEL belongs to."""
    return _key(request, "INVITE")


def _key(request: Request, method: str) -> Key:
    via = request.via
    if via.branch.startswith(MAGIC):
        return (via.branch, f"{via.host.lower()}:{via.port or ''}", method)
    return (request.call_id, request.from_.tag or "", str(request.cseq[0]), request.uri, str(via), method)


class Wire:
    """What transactions need of the endpoint: sending, and the loop's clock. The endpoint implements it."""

    timers: SipTimers

    def transmit(self, message: Request | Response, address: Address) -> bytes:
        """Send a message for the first time; the bytes that went out, for repetition (empty: nothing went)."""
        raise NotImplementedError

    def repeat(self, data: bytes, address: Address) -> None:
        """Send the same bytes again."""
        raise NotImplementedError


class _Transaction:
    """Timers and removal, common to both sides. `state` is the name that RFC 3261 gives it."""

    __slots__ = ("_address", "_bytes", "_doom", "_repeat", "_table", "_wire", "key", "state")

    def __init__(self, wire: Wire, key: Key, address: Address, state: str) -> None:
        self._wire = wire
        self._table: dict[Key, _Transaction] | None = None
        self.key = key
        self._address = address
        self._bytes = b""
        self._repeat: asyncio.TimerHandle | None = None
        self._doom: asyncio.TimerHandle | None = None
        self.state = state

    def _retransmit_from(self, interval: float, ceiling: float) -> None:
        """Repeat the last bytes, doubling the interval up to the ceiling, until stopped."""
        self._stop_retransmitting()
        loop = asyncio.get_running_loop()
        self._repeat = loop.call_later(interval, self._retransmit, interval, ceiling)

    def _retransmit(self, interval: float, ceiling: float) -> None:
        self._wire.repeat(self._bytes, self._address)
        self._retransmit_from(min(interval * 2, ceiling), ceiling)

    def _stop_retransmitting(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def _end_after(self, seconds: float, action: Callable[[], None] | None = None) -> None:
        if self._doom is not None:
            self._doom.cancel()
        if seconds <= 0:
            self.terminate()
        else:
            self._doom = asyncio.get_running_loop().call_later(seconds, action or self.terminate)

    def terminate(self) -> None:
        """Stop the timers and leave the table; harmless when done already."""
        self.state = "terminated"
        self._stop_retransmitting()
        if self._doom is not None:
            self._doom.cancel()
            self._doom = None
        if self._table is not None and self._table.get(self.key) is self:
            del self._table[self.key]


class ServerTransaction(_Transaction):
    """The answering side of one request. `on_cancel` gets a CANCEL for it; `on_end` is called when it is freed."""

    __slots__ = ("method", "on_cancel", "on_end", "status")

    def __init__(self, wire: Wire, request: Request, address: Address) -> None:
        super().__init__(wire, server_key(request), address, "trying")
        self.method = request.method
        self.status = 0
        self.on_cancel: Callable[[Request], None] | None = None
        self.on_end: Callable[[], None] | None = None

    @property
    def reliable(self) -> bool:
        """Whether the request came over TCP."""
        return self._address.reliable

    @property
    def sent(self) -> tuple[bytes, Address]:
        """The last response as bytes and where it went, for the core that repeats a 2xx."""
        return self._bytes, self._address

    def respond(self, response: Response) -> None:
        """Send a response; after a final one, nothing more goes out."""
        if self.state not in ("trying", "proceeding"):
            return
        timers = self._wire.timers
        self.status = response.status
        self._bytes = self._wire.transmit(response, self._address)
        if response.status < 200:
            self.state = "proceeding"
        elif self.method != "INVITE":
            self.state = "completed"
            self._end_after(0 if self.reliable else timers.timeout)
        elif response.status < 300:
            self.state = "accepted"
            self._end_after(timers.timeout)
        else:
            self.state = "completed"
            if not self.reliable:
                self._retransmit_from(timers.t1, timers.t2)
            self._end_after(timers.timeout)

    def receive(self, request: Request) -> None:
        """A retransmission of the request, or the ACK of a non-2xx answer."""
        if request.method == "ACK":
            if self.state == "completed":
                self.state = "confirmed"
                self._stop_retransmitting()
                self._end_after(0 if self.reliable else self._wire.timers.t4)
        elif self._bytes and self.state in ("proceeding", "completed"):
            self._wire.repeat(self._bytes, self._address)

    def terminate(self) -> None:
        super().terminate()
        self.on_cancel = None
        if self.on_end is not None:
            done, self.on_end = self.on_end, None
            done()


class ClientTransaction(_Transaction):
    """The asking side of one request.

    `on_response` gets each response once (each retransmitted 2xx of an INVITE again); `on_failure("timeout" or
    "transport")` comes at most once, and only before a final response.
    """

    __slots__ = ("_on_failure", "_on_response", "_request", "method", "response")

    def __init__(
        self,
        wire: Wire,
        request: Request,
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__(wire, (request.via.branch, request.method), address, "calling")
        self._request: Request | None = request
        self.method = request.method
        self._on_response = on_response
        self._on_failure = on_failure
        self.response: Response | None = None

    @property
    def address(self) -> Address:
        """Where the request went; an ACK of a non-2xx answer and a CANCEL go there too."""
        return self._address

    def start(self) -> None:
        """Send the request and start timers A/E and B/F."""
        assert self._request is not None
        timers = self._wire.timers
        self._bytes = self._wire.transmit(self._request, self._address)
        if not self._address.reliable:
            ceiling = timers.timeout if self.method == "INVITE" else timers.t2
            self._retransmit_from(timers.t1, ceiling)
        self._end_after(timers.timeout, lambda: self.fail("timeout"))

    def receive(self, response: Response) -> None:
        """A response that matched this transaction."""
        if self.state in ("calling", "proceeding"):
            self._advance(response)
        elif self.state == "accepted" and 200 <= response.status < 300:
            self._on_response(response)
        elif self.state == "completed" and self.method == "INVITE" and response.status >= 300:
            self._wire.repeat(self._bytes, self._address)

    def _advance(self, response: Response) -> None:
        timers = self._wire.timers
        if response.status < 200:
            if self.method == "INVITE":
                self._stop_retransmitting()
                if self._doom is not None:
                    self._doom.cancel()
                    self._doom = None
            elif self.state == "calling" and not self._address.reliable:
                self._retransmit_from(timers.t2, timers.t2)
            self.state = "proceeding"
        else:
            self._stop_retransmitting()
            self.response = response
            if self.method != "INVITE":
                self.state = "completed"
                self._end_after(0 if self._address.reliable else timers.t4)
            elif response.status < 300:
                self.state = "accepted"
                self._end_after(timers.timeout)
            else:
                self.state = "completed"
                self._bytes = self._wire.transmit(self._ack(response), self._address)
                self._end_after(0 if self._address.reliable else timers.timeout)
            self._request = None
        self._on_response(response)

    def _ack(self, response: Response) -> Request:
        """The ACK of a non-2xx answer (§17.1.1.3)."""
        request = self._request
        assert request is not None
        headers = Headers([("Via", str(request.via)), ("From", request.headers.get("From") or "")])
        headers.add("To", response.headers.get("To") or "")
        headers.add("Call-ID", request.call_id)
        headers.add("CSeq", f"{request.cseq[0]} ACK")
        for row in request.headers.rows("Route"):
            headers.add("Route", row)
        headers.add("Max-Forwards", "70")
        return Request("ACK", request.uri, headers)

    def fail(self, cause: str) -> None:
        """End without a final response: "timeout" or "transport"."""
        if self.state in ("calling", "proceeding"):
            self.terminate()
            self._on_failure(cause)

    def give_up_after(self, seconds: float) -> None:
        """Fail with "timeout" unless a final response comes in time (an INVITE that was cancelled, §9.1)."""
        if self.state in ("calling", "proceeding"):
            self._end_after(seconds, lambda: self.fail("timeout"))


class TransactionTable:
    """All transactions of an endpoint, by key."""

    def __init__(self) -> None:
        self._servers: dict[Key, _Transaction] = {}
        self._clients: dict[Key, _Transaction] = {}

    @property
    def counts(self) -> tuple[int, int]:
        """Number of server and of client transactions."""
        return len(self._servers), len(self._clients)

    def server(self, key: Key) -> ServerTransaction | None:
        """The server transaction with that key."""
        found = self._servers.get(key)
        return found if isinstance(found, ServerTransaction) else None

    def client(self, response: Response) -> ClientTransaction | None:
        """The client transaction that a response belongs to."""
        found = self._clients.get((response.via.branch, response.cseq[1]))
        return found if isinstance(found, ClientTransaction) else None

    def add_server(self, transaction: ServerTransaction) -> None:
        """Keep a server transaction until it terminates."""
        transaction._table = self._servers
        self._servers[transaction.key] = transaction

    def add_client(self, transaction: ClientTransaction) -> None:
        """Keep a client transaction until it terminates."""
        transaction._table = self._clients
        self._clients[transaction.key] = transaction

    def fail_address(self, address: Address) -> None:
        """Nothing can be sent there: fail what waits for an answer from it."""
        for transaction in list(self._clients.values()):
            if isinstance(transaction, ClientTransaction) and transaction.address == address:
                transaction.fail("transport")

    def clear(self) -> None:
        """Terminate everything, quietly."""
        for transaction in [*self._servers.values(), *self._clients.values()]:
            transaction.terminate()
