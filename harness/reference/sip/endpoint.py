"""The SIP endpoint: one port, its transactions and calls, and the handlers of whoever runs it.

A system of the reference platform creates one, gives it handlers and places calls with `invite`. Which request is
answered how is in `dispatch`. It never decides what a call is for, and no handler's fault can end it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from .call import Call, CallEnd, CallFailed
from .dialog import Dialog, address_of, new_tag
from .digest import Credentials
from .dispatch import Dispatcher, Handlers, RequestHandler
from .exchange import Exchange, Make
from .incoming import IncomingCall
from .message import REASONS, HeaderList, Headers, Request, Response
from .outgoing import OutgoingCall
from .parsing import DEFAULT_LIMITS, Limits
from .transactions import MAGIC, ClientTransaction, SipTimers, TransactionTable, Wire
from .transport import Address, Transport
from .uri import AddressError, NameAddr, SipUri, parse_name_addr, parse_uri

log = logging.getLogger("ringtrue.sip")

Hook = Callable[[Request | Response, Address], Request | Response | None]


@dataclass(frozen=True)
class EndpointStats:
    """What is open at this moment; all zero after the last call and its timers. `answered` counts since the start."""

    server_transactions: int
    client_transactions: int
    dialogs: int
    connections: int
    tasks: int
    bindings: int
    answered: int


class SipEndpoint(Wire):
    """One SIP element on UDP and TCP.

    `on_invite(call)` gets each new call; `on_register(request, source)`, `on_options(request, source)` and
    `handlers[method]` return the Response (see `message.response_to`) or raise Refused. All may be plain or async.
    `on_send` and `on_receive` see each message once, with its peer, and may change it, replace it, or drop it by
    returning None: the seam for tracing and for faults. A subclass may name its own `dispatcher_class`.
    """

    dispatcher_class = Dispatcher

    def __init__(
        self,
        on_invite: Callable[[IncomingCall], Any] | None = None,
        on_register: RequestHandler | None = None,
        on_options: RequestHandler | None = None,
        handlers: dict[str, RequestHandler] | None = None,
        timers: SipTimers | None = None,
        limits: Limits = DEFAULT_LIMITS,
        max_calls: int = 20_000,
        max_connections: int = 2000,
        advertise: str | None = None,
        on_send: Hook | None = None,
        on_receive: Hook | None = None,
        bindings: Callable[[], int] | None = None,
    ) -> None:
        self.timers = timers or SipTimers()
        self.limits = limits
        self.max_calls = max_calls
        self.on_send = on_send
        self.on_receive = on_receive
        self.handlers = Handlers(on_invite, on_register, on_options, dict(handlers or {}))
        self.table = TransactionTable()
        self.calls: dict[tuple[str, str], Call] = {}
        self.answered = 0
        self.stopping = False
        self._advertise = advertise
        self._bindings = bindings
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dispatcher = self.dispatcher_class(self)
        self.transport = Transport(self._dispatcher.on_bytes, self.table.fail_address, limits, max_connections)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind UDP and TCP to one port number, a free one for 0. Raises OSError."""
        await self.transport.start(host, port)
        log.info("SIP on %s:%s, UDP and TCP", host, self.port)

    async def stop(self) -> None:
        """End every call (BYE, CANCEL or 503), then close the sockets and cancel what handlers still do."""
        self.stopping = True
        for call in list(self.calls.values()):
            if isinstance(call, IncomingCall):
                call.reject(503)
            call.hangup()
            call.finish(CallEnd("local", "stopped", 503, REASONS[503]))
        self.table.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.stop()

    @property
    def port(self) -> int:
        """The port number, of UDP and TCP alike."""
        return self.transport.port

    @property
    def host(self) -> str:
        """The host that Via and Contact name."""
        bound = self.transport.host
        host = self._advertise or ("127.0.0.1" if bound in ("0.0.0.0", "::", "") else bound)
        return f"[{host}]" if ":" in host and not host.startswith("[") else host

    @property
    def allow(self) -> str:
        """The methods served, as an Allow header lists them."""
        return self.handlers.allow

    def stats(self) -> EndpointStats:
        """Counts of what is open."""
        servers, clients = self.table.counts
        bindings = self._bindings() if self._bindings else 0
        connections, tasks = self.transport.connections, len(self._tasks)
        return EndpointStats(servers, clients, len(self.calls), connections, tasks, bindings, self.answered)

    async def invite(
        self,
        uri: str,
        from_: NameAddr | str,
        to: NameAddr | str | None = None,
        sdp: bytes | None = None,
        headers: HeaderList = (),
        credentials: Credentials | None = None,
        ring_timeout: float | None = None,
        destination: Address | None = None,
        contact: str | None = None,
        call_id: str | None = None,
        max_forwards: int = 70,
    ) -> OutgoingCall:
        """Place a call and return at once; set `on_progress` and `on_end` before the next await.

        `ring_timeout` in seconds. `destination` is the next hop; without it a Route header or the URI says where.
        `contact` replaces our Contact value. Raises AddressError when an address cannot be understood; a host that
        cannot be reached shows as CallFailed from `answered()`.
        """
        if len(self.calls) >= self.max_calls or self.stopping:
            raise CallFailed(503, "too many calls", "transport")
        caller = as_name_addr(from_).with_params(tag=new_tag())
        callee = as_name_addr(to if to is not None else f"<{uri}>")
        extra = list(headers)
        hop = destination or first_hop(uri, extra)
        failure = None
        try:
            hop = await self.transport.resolve(hop)
        except OSError as error:
            failure = str(error)
        own_contact = contact or self.contact_for(caller.user, hop)
        request = self._new_request("INVITE", uri, caller, callee, extra, call_id, max_forwards)
        request.headers.add("Contact", own_contact)
        request.headers.add("Allow", self.allow)
        if sdp:
            request.body = sdp
            request.headers.add("Content-Type", "application/sdp")
        dialog = Dialog(request.call_id, caller, callee, uri, 1)
        call = OutgoingCall(self, request, dialog, own_contact)
        call.credentials = credentials
        self.calls[dialog.key] = call
        if failure is not None:
            call.finish(CallEnd("error", "transport", 503, failure))
        else:
            call.start(hop, ring_timeout if ring_timeout is not None else self.timers.ring_limit)
        return call

    async def request(
        self,
        method: str,
        uri: str,
        from_: NameAddr | str,
        to: NameAddr | str | None = None,
        headers: HeaderList = (),
        body: bytes = b"",
        credentials: Credentials | None = None,
        destination: Address | None = None,
    ) -> Response:
        """Send a request outside any dialog (OPTIONS, REGISTER) and wait for its final response.

        Raises CallFailed after silence or where nothing can be sent, AddressError for an address without sense.
        """
        caller = as_name_addr(from_).with_params(tag=new_tag())
        callee = as_name_addr(to if to is not None else f"<{uri}>")
        extra = list(headers)
        first = self._new_request(method, uri, caller, callee, extra, None, 70)
        first.body = body
        outcome: asyncio.Future[Response | str] = asyncio.get_running_loop().create_future()
        seq = 0

        def make(proofs: list[tuple[str, str]]) -> Request:
            nonlocal seq
            seq += 1
            request = Request(method, uri, first.headers.copy(), body)
            request.headers.set("CSeq", f"{seq} {method}")
            for name, value in proofs:
                request.headers.add(name, value)
            return request

        def settle(result: Response | str) -> None:
            if not outcome.done() and (isinstance(result, str) or result.status >= 200):
                outcome.set_result(result)

        try:
            hop = await self.transport.resolve(destination or first_hop(uri, extra))
        except OSError as error:
            raise CallFailed(503, str(error), "transport") from error
        self.exchange(make, hop, settle, settle, credentials)
        result = await outcome
        if isinstance(result, str):
            code = 408 if result == "timeout" else 503
            raise CallFailed(code, REASONS[code], result)
        return result

    def _new_request(
        self,
        method: str,
        uri: str,
        caller: NameAddr,
        callee: NameAddr,
        extra: list[tuple[str, str]],
        call_id: str | None,
        max_forwards: int,
    ) -> Request:
        headers = Headers([("Max-Forwards", str(max_forwards)), ("From", str(caller)), ("To", str(callee))])
        headers.add("Call-ID", call_id or f"{secrets.token_hex(12)}@{self.host.strip('[]')}")
        headers.add("CSeq", f"1 {method}")
        for name, value in extra:
            headers.add(name, value)
        return Request(method, uri, headers)

    def transmit(self, message: Request | Response, address: Address) -> bytes:
        seen = self.on_send(message, address) if self.on_send else message
        if seen is None:
            return b""
        data = seen.serialise()
        self.transport.send(data, address)
        return data

    def repeat(self, data: bytes, address: Address) -> None:
        if data:
            self.transport.send(data, address)

    def begin(
        self,
        request: Request,
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
    ) -> ClientTransaction:
        """Start a client transaction; a request without Via gets ours."""
        if "Via" not in request.headers:
            self._add_via(request, address)
        transaction = ClientTransaction(self, request, address, on_response, on_failure)
        self.table.add_client(transaction)
        transaction.start()
        return transaction

    def exchange(
        self,
        make: Make,
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
        credentials: Credentials | None = None,
    ) -> Exchange:
        """Send a request, answering a digest challenge on the way."""
        return Exchange(self, make, address, on_response, on_failure, credentials)

    def send_ack(self, request: Request, address: Address) -> bytes:
        """Send the ACK of a 2xx, which is outside any transaction; the bytes for repetition."""
        self._add_via(request, address)
        return self.transmit(request, address)

    def _add_via(self, request: Request, address: Address) -> None:
        rport = "" if address.reliable else ";rport"
        sent_by = f"{self.host}:{self.port}"
        via = f"SIP/2.0/{address.transport.upper()} {sent_by};branch={MAGIC}{secrets.token_hex(8)}{rport}"
        request.headers.prepend("Via", via)

    def contact_for(self, user: str, address: Address) -> str:
        """Our Contact value for that user, over that peer's transport."""
        params = (("transport", "tcp"),) if address.transport == "tcp" else ()
        return f"<{SipUri('sip', user or None, self.host, self.port, params)}>"

    def hop(self, dialog: Dialog) -> Address:
        """Where in-dialog requests go: the TCP connection of the dialog while it stands, else route or target."""
        flow = dialog.flow
        if flow and flow.reliable and not dialog.route_set and self.transport.has_connection(flow):
            return flow
        try:
            return dialog.next_hop()
        except AddressError as error:
            log.info("call %s: %s; using the address that the peer sent from", dialog.call_id, error)
            return flow or Address("127.0.0.1", 9)

    def run(self, handler: Callable[..., Any] | None, *args: Any) -> None:
        """Call a handler, plain or async; what it raises is logged and goes no further."""
        if handler is None:
            return
        try:
            result = handler(*args)
        except Exception:  # noqa: BLE001 - a handler's fault must not end the endpoint
            self.log_failure(handler)
            return
        if isinstance(result, Awaitable):
            self.spawn(self._guard(result, handler))

    async def _guard(self, work: Awaitable[Any], handler: object) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - as in `run`
            self.log_failure(handler)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine until it ends or the endpoint stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def log_failure(self, handler: object) -> None:
        """Log the exception being handled."""
        log.exception("handler %s failed", getattr(handler, "__qualname__", handler))

    def forget(self, call: Call) -> None:
        """Drop a call that is over."""
        self.calls.pop(call.dialog.key, None)
        if call.answered_at is not None:
            self.answered += 1


def as_name_addr(value: NameAddr | str) -> NameAddr:
    """A NameAddr, parsed where it is text, without header parameters. Raises AddressError."""
    return (parse_name_addr(value) if isinstance(value, str) else value).without_params()


def first_hop(uri: str, headers: list[tuple[str, str]]) -> Address:
    """Where a request outside a dialog goes: the first Route, or its URI. Raises AddressError."""
    for name, value in headers:
        if name.lower() == "route":
            return address_of(parse_name_addr(value).parsed)
    return address_of(parse_uri(uri))
