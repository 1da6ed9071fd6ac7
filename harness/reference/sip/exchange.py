"""One request of ours from first sending to final response, with the answer to a digest challenge in between.

Calls and the endpoint use it for every client request; it never looks at what the request is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .digest import Credentials, authorization
from .message import Request, Response
from .transactions import ClientTransaction
from .transport import Address

Make = Callable[[list[tuple[str, str]]], Request]

_MAX_CHALLENGES = 2


class Sender(Protocol):
    """What an exchange needs of the endpoint: a request on its way, in a transaction of its own."""

    def begin(
        self,
        request: Request,
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
    ) -> ClientTransaction: ...


class Exchange:
    """Sends what `make(extra headers)` builds; again with credentials after a 401 or 407, twice at the most.

    The second time serves a stale nonce or a proxy and a server that both ask. `request` and `transaction` are the
    current ones. Challenges that are answered are not shown to `on_response`.
    """

    def __init__(
        self,
        sender: Sender,
        make: Make,
        address: Address,
        on_response: Callable[[Response], None],
        on_failure: Callable[[str], None],
        credentials: Credentials | None = None,
    ) -> None:
        self._sender = sender
        self._make = make
        self._address = address
        self._on_response = on_response
        self._on_failure = on_failure
        self._credentials = credentials
        self._proofs: dict[str, list[tuple[str, str]]] = {}
        self._challenges = 0
        self.stopped = False
        self.request = make([])
        self.transaction = sender.begin(self.request, address, self._received, on_failure)

    def _received(self, response: Response) -> None:
        if response.status in (401, 407) and self._credentials is not None and not self.stopped:
            proofs = authorization(response, self._credentials, self.request.method, self.request.uri)
            if proofs and self._challenges < _MAX_CHALLENGES and self._worth_trying(response):
                self._challenges += 1
                self._proofs[proofs[0][0]] = proofs
                self.request = self._make([line for lines in self._proofs.values() for line in lines])
                self.transaction = self._sender.begin(self.request, self._address, self._received, self._on_failure)
                return
        self._on_response(response)

    def _worth_trying(self, response: Response) -> bool:
        """Not when the same server refused our answer already, unless it says that only the nonce was stale."""
        header = "Authorization" if response.status == 401 else "Proxy-Authorization"
        if header not in self._proofs:
            return True
        challenge = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"
        return any("stale=true" in row.lower().replace('"', "") for row in response.headers.rows(challenge))
