"""Which incoming message goes where, and which request is refused at the door (RFC 3261 §8.2, §16.3 for hop counts).

The endpoint owns one Dispatcher and feeds it bytes. Each rule is a small method that can be replaced. It keeps no
state of its own beyond the INVITEs it watches for merged requests.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .call import Call, CallFailed, Refused
from .dialog import new_tag
from .incoming import IncomingCall
from .message import Request, Response, Via, response_to
from .parsing import MalformedMessage, parse
from .transactions import ServerTransaction, invite_key, server_key
from .transport import Address
from .uri import AddressError, parse_uri

if TYPE_CHECKING:
    from .endpoint import SipEndpoint

log = logging.getLogger("ringtrue.sip")

RequestHandler = Callable[[Request, Address], Response | Awaitable[Response]]

_CORE_METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO")
_OTHER_METHODS = ("REGISTER", "UPDATE", "PRACK", "REFER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH")
_KNOWN_METHODS = frozenset((*_CORE_METHODS, *_OTHER_METHODS))


@dataclass
class Handlers:
    """What whoever runs the endpoint does with requests."""

    on_invite: Callable[[IncomingCall], Any] | None
    on_register: RequestHandler | None
    on_options: RequestHandler | None
    others: dict[str, RequestHandler] = field(default_factory=dict)

    @property
    def allow(self) -> str:
        """The Allow value."""
        register = ("REGISTER",) if self.on_register else ()
        return ", ".join((*_CORE_METHODS, *register, *sorted(self.others)))


class Dispatcher:
    """Bytes in; transactions, calls and handlers served."""

    def __init__(self, endpoint: SipEndpoint) -> None:
        self._endpoint = endpoint
        self._ongoing: dict[tuple[str, str, int], ServerTransaction] = {}

    def on_bytes(self, data: bytes, source: Address) -> None:
        """One datagram or framed message. Never raises."""
        if not data.strip(b"\r\n\t \0"):
            return
        try:
            message = parse(data, self._endpoint.limits)
        except MalformedMessage as error:
            log.info("malformed message from %s:%s: %s", source.host, source.port, error.reason)
            if error.partial is not None:
                self._refuse_malformed(error.partial, error, source)
            return
        try:
            self._dispatch(message, source)
        except Exception:
            log.exception("failure while handling %r", message)
            if isinstance(message, Request) and message.method != "ACK":
                self._reply_statelessly(response_to(message, 500, to_tag=new_tag()), message, source)

    def _refuse_malformed(self, request: Request, error: MalformedMessage, source: Address) -> None:
        reason = error.reason.encode("ascii", "replace").decode()[:100]
        response = response_to(request, error.status, headers=[("Warning", f'399 ringtrue "{_plain(reason)}"')])
        self._reply_statelessly(response, request, source)

    def _reply_statelessly(self, response: Response, request: Request, source: Address) -> None:
        self._endpoint.transmit(response, self._reply_address(request, source))

    def _dispatch(self, received: Request | Response, source: Address) -> None:
        endpoint = self._endpoint
        message = endpoint.on_receive(received, source) if endpoint.on_receive else received
        if message is None:
            return
        if isinstance(message, Response):
            client = endpoint.table.client(message)
            if client is not None:
                client.receive(message)
            return
        note_source(message, source)
        if message.method == "ACK":
            self._on_ack(message)
            return
        known = endpoint.table.server(server_key(message))
        if known is not None:
            known.receive(message)
        else:
            self._on_new_request(message, source)

    def _on_ack(self, ack: Request) -> None:
        transaction = self._endpoint.table.server(invite_key(ack))
        if transaction is not None and transaction.status >= 300:
            transaction.receive(ack)
            return
        call = self._call_of(ack)
        if call is not None:
            call.acknowledged(ack)

    def _on_new_request(self, request: Request, source: Address) -> None:
        transaction = ServerTransaction(self._endpoint, request, self._reply_address(request, source))
        self._endpoint.table.add_server(transaction)
        try:
            self._serve(request, transaction, source)
        except Refused as refused:
            response = response_to(request, refused.code, refused.reason, refused.headers, to_tag=new_tag())
            transaction.respond(response)

    def _serve(self, request: Request, transaction: ServerTransaction, source: Address) -> None:
        if request.method == "CANCEL":
            self._on_cancel(request, transaction)
            return
        self.check_method(request)
        if request.to.tag is not None:
            self._in_dialog(request, transaction, source)
            return
        self.check_uri(request)
        self.check_extensions(request)
        if request.method == "INVITE":
            self._on_invite(request, transaction, source)
        elif request.method == "BYE":
            raise Refused(481)
        else:
            self._on_other(request, transaction, source)

    def check_method(self, request: Request) -> None:
        """405 for a method that exists but is not served, 501 for one that nobody knows (§8.2.1, §21.5.2)."""
        handlers, method = self._endpoint.handlers, request.method
        if method in _CORE_METHODS or method in handlers.others or (method == "REGISTER" and handlers.on_register):
            return
        if method in ("UPDATE", "PRACK", "NOTIFY", "REFER") and self._call_of(request) is None and request.to.tag:
            raise Refused(481)
        raise Refused(405 if method in _KNOWN_METHODS else 501, headers=[("Allow", handlers.allow)])

    def check_uri(self, request: Request) -> None:
        """416 for a scheme that is not ours, 400 for a URI that is none (§8.2.2.1)."""
        try:
            parse_uri(request.uri)
        except AddressError as error:
            scheme = request.uri.partition(":")[0].lower()
            raise Refused(400 if scheme in ("sip", "sips", "tel") else 416) from error

    def check_extensions(self, request: Request) -> None:
        """420 for whatever is required, since no extension is supported (§8.2.2.3)."""
        wanted = request.headers.values("Require") + request.headers.values("Proxy-Require")
        if wanted:
            raise Refused(420, headers=[("Unsupported", ", ".join(wanted))])

    def check_hops(self, request: Request) -> None:
        """483 for an INVITE that may go no further: a call here usually leads to another leg (§16.3)."""
        hops = request.headers.get("Max-Forwards")
        if hops is not None and int(hops) == 0:
            raise Refused(483)

    def check_merged(self, request: Request, transaction: ServerTransaction) -> None:
        """482 for the same INVITE by another path (§8.2.2.2), while the first is being served."""
        key = (request.call_id, request.from_.tag or "", request.cseq[0])
        first = self._ongoing.get(key)
        if first is not None and first.status < 300:
            raise Refused(482)
        self._ongoing[key] = transaction
        transaction.on_end = lambda: self._forget_ongoing(key, transaction)

    def _forget_ongoing(self, key: tuple[str, str, int], transaction: ServerTransaction) -> None:
        if self._ongoing.get(key) is transaction:
            del self._ongoing[key]

    def _on_invite(self, request: Request, transaction: ServerTransaction, source: Address) -> None:
        endpoint = self._endpoint
        self.check_merged(request, transaction)
        self.check_hops(request)
        if len(endpoint.calls) >= endpoint.max_calls or endpoint.stopping:
            raise Refused(503, headers=[("Retry-After", "5")])
        if endpoint.handlers.on_invite is None:
            raise Refused(404)
        transaction.respond(response_to(request, 100))
        call = IncomingCall(endpoint, request, transaction, source)
        endpoint.calls[call.dialog.key] = call
        self._hand_over(call)

    def _hand_over(self, call: IncomingCall) -> None:
        handler = self._endpoint.handlers.on_invite
        assert handler is not None
        try:
            result = handler(call)
        except Exception as error:  # noqa: BLE001 - answered and logged below
            self._handler_failed(call, error)
        else:
            if isinstance(result, Awaitable):
                self._endpoint.spawn(self._wait_for(call, result))

    async def _wait_for(self, call: IncomingCall, work: Awaitable[Any]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - answered and logged below
            self._handler_failed(call, error)

    def _handler_failed(self, call: IncomingCall, error: Exception) -> None:
        """Answer with what was raised: a refusal, the failure of a second leg, or 500 for a fault; else hang up."""
        if isinstance(error, Refused):
            call.reject(error.code, error.reason, error.headers)
            return
        code = 500
        if isinstance(error, CallFailed):
            code = error.code
            log.info("call %s: its other leg failed: %s", call.call_id, error)
        else:
            self._endpoint.log_failure(self._endpoint.handlers.on_invite)
        if not call.reject(code):
            call.hangup()

    def _on_cancel(self, request: Request, transaction: ServerTransaction) -> None:
        invite = self._endpoint.table.server(invite_key(request))
        if invite is None:
            raise Refused(481)
        transaction.respond(response_to(request, 200, to_tag=new_tag()))
        if invite.on_cancel is not None:
            invite.on_cancel(request)

    def _in_dialog(self, request: Request, transaction: ServerTransaction, source: Address) -> None:
        call = self._call_of(request)
        if call is None:
            raise Refused(481)
        self.check_extensions(request)
        if request.method in ("OPTIONS", *self._endpoint.handlers.others):
            self._on_other(request, transaction, source)
        else:
            call.receive(request, transaction)

    def _call_of(self, request: Request) -> Call | None:
        call = self._endpoint.calls.get((request.call_id, request.to.tag or ""))
        if call is None or call.dialog.remote.tag != request.from_.tag:
            return None
        return call

    def _on_other(self, request: Request, transaction: ServerTransaction, source: Address) -> None:
        handlers = self._endpoint.handlers
        handler = handlers.others.get(request.method) or self.answer_options
        if request.method == "REGISTER" and handlers.on_register:
            handler = handlers.on_register
        elif request.method == "OPTIONS" and handlers.on_options:
            handler = handlers.on_options
        self._endpoint.run(self._answer_with, handler, request, transaction, source)

    async def _answer_with(
        self, handler: RequestHandler, request: Request, transaction: ServerTransaction, source: Address
    ) -> None:
        try:
            result = handler(request, source)
            response = await result if isinstance(result, Awaitable) else result
        except Refused as refused:
            response = response_to(request, refused.code, refused.reason, refused.headers)
        except Exception:  # noqa: BLE001 - answered and logged, and ends nothing else
            self._endpoint.log_failure(handler)
            response = response_to(request, 500)
        if response.to.tag is None and response.status > 100:
            response.headers.set("To", f"{response.headers.get('To')};tag={new_tag()}")
        transaction.respond(response)

    def answer_options(self, request: Request, _source: Address) -> Response:
        """200 with what we can do (§11.2); 481 or 404 are never a reason to refuse it."""
        headers = [("Allow", self._endpoint.allow), ("Accept", "application/sdp"), ("Supported", "")]
        return response_to(request, 200, headers=headers)

    def _reply_address(self, request: Request, source: Address) -> Address:
        """Where responses go (§18.2.2, RFC 3581): the connection, the source with rport, else the sent-by port."""
        via = request.via
        if source.reliable:
            if self._endpoint.transport.has_connection(source):
                return source
            return Address(source.host, via.port or 5060, source.transport)
        return Address(source.host, source.port if via.param("rport") is not None else via.port or 5060)


def note_source(request: Request, source: Address) -> None:
    """Write received and rport into the top Via (§18.2.1, RFC 3581)."""
    via = request.via
    rport = via.param("rport") is not None
    if via.host.strip("[]") == source.host and not rport:
        return
    params = tuple(p for p in via.params if p[0] not in ("received", "rport"))
    params += (("received", source.host), *((("rport", str(source.port)),) if rport else ()))
    request.replace_top_via(Via(via.transport, via.host, via.port, params))


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() and c not in '"\\' else "?" for c in text)
