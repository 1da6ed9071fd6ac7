"""SIP engine of the reference platform: transports, transactions, dialogs and calls on asyncio (RFC 3261).

The systems under `harness/reference/` call it; it knows nothing of HTTP, of callbacks, or of any one system, and it
never imports the rest of the harness. Everything runs on one event loop; nothing here is safe to call from a thread.

How it is used::

    endpoint = SipEndpoint(on_invite=answer_call, on_register=registrar.handle, timers=SipTimers())
    await endpoint.start("127.0.0.1", 0)            # UDP and TCP on one port: endpoint.port

    async def answer_call(call: IncomingCall) -> None:
        call.progress(180)                          # bool: False when the call is over already
        call.on_end = lambda end: ...               # CallEnd(by, code, reason, message); plain or async function
        call.answer(sdp, headers=[("X-A", "1")])    # 200, retransmitted until the ACK
        await call.ended()                          # -> CallEnd

    leg = await endpoint.invite(
        "sip:bob@127.0.0.1:5070",                   # request-URI
        from_='"Alice" <sip:alice@a.example>',      # without tag; str or NameAddr
        to=None,                                    # the request-URI when None
        sdp=b"v=0...",                              # None: an INVITE without offer
        headers=[("P-Asserted-Identity", "<sip:+44123@a.example>")],
        credentials=Credentials("alice", "secret"), # answers one 401/407 (and one stale nonce)
        ring_timeout=30.0,                          # seconds until CANCEL; None: the timers' ring_limit
        destination=Address("127.0.0.1", 5070, "tcp"),  # next hop; None: where Route or the URI says
    )
    leg.on_progress = lambda response: ...          # each 1xx but 100
    try:
        response = await leg.answered()             # the 2xx; ACK is sent by the engine
    except CallFailed as failure:                   # .code .reason .response (None: nothing was received) .cause
        ...

Members that both kinds of `Call` have: `request` (the INVITE), `call_id`, `remote_sdp` (bytes or None, the newest),
`local_sdp`, `state` (CallState), `dialog`, `answered_at` and `ended_at` (loop time), `on_end`, `on_bye(request)`,
`on_info(request) -> int | None`, `on_reinvite(request) -> sdp | None` (raise `Refused(code)` to refuse; without a
handler the last local SDP is repeated), `on_ack(request)`, and

- `hangup(headers=()) -> bool`: BYE when answered, CANCEL for an unanswered outgoing call, 480 for an unanswered
  incoming one; harmless when the call is over;
- `await reinvite(sdp, headers=()) -> Response` (2xx; otherwise `CallFailed`);
- `await request_in_dialog(method, headers=(), body=b"", content_type=None) -> Response`, such as INFO;
- `await ended() -> CallEnd`.

Set `on_end` before the first await: it is not called for a call that is over already (`over` tells).

`IncomingCall` adds `source` (Address), `progress(code, sdp=None, headers=(), reason=None)`, `answer(sdp, headers=())`,
`reject(code, reason=None, headers=())`. `OutgoingCall` adds `answered()`, `on_progress(response)`, `provisionals`.
`Request`/`Response` have `headers` (`get(name)`, `rows(name)` one per header line, `values(name)` split at commas),
`body`, `from_`, `to` (NameAddr), and a request `uri`. `parse_name_addr`, `parse_uri` give `NameAddr`, `SipUri`.

`Registrar` and `DigestAuthenticator` take a look-up `(username, realm) -> password | None`. Any handler that raises
answers 500 and is logged by the logger "ringtrue.sip"; `Refused(code, reason, headers)` answers what it says, and a
`CallFailed` of a second leg that leaves `on_invite` refuses the first with the same code.
"""

from .call import Call, CallEnd, CallFailed, CallState, Refused
from .dialog import address_of
from .digest import Credentials, DigestAuthenticator
from .endpoint import EndpointStats, SipEndpoint
from .incoming import IncomingCall
from .message import Headers, Request, Response, response_to
from .outgoing import OutgoingCall
from .parsing import Limits, MalformedMessage, parse
from .registrar import Binding, Registrar
from .transactions import SipTimers
from .transport import Address
from .uri import AddressError, NameAddr, SipUri, parse_name_addr, parse_uri

__all__ = [
    "Address",
    "AddressError",
    "Binding",
    "Call",
    "CallEnd",
    "CallFailed",
    "CallState",
    "Credentials",
    "DigestAuthenticator",
    "EndpointStats",
    "Headers",
    "IncomingCall",
    "Limits",
    "MalformedMessage",
    "NameAddr",
    "OutgoingCall",
    "Refused",
    "Registrar",
    "Request",
    "Response",
    "SipEndpoint",
    "SipTimers",
    "SipUri",
    "address_of",
    "parse",
    "parse_name_addr",
    "parse_uri",
    "response_to",
]
