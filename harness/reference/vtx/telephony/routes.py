"""Decides where a call goes: to a user's telephone, to the outside world, or to the SIP address that was dialled.

Called by the SIP side for each call. It looks things up and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.reference.sip import AddressError, Binding, Refused, SipUri, parse_uri
from harness.reference.vtx.directory import Directory
from harness.reference.vtx.model import User
from harness.reference.vtx.telephony import numbers
from harness.reference.vtx.telephony.carrier import Carrier


@dataclass(frozen=True)
class Route:
    """What was dialled and whom it means. `uri` is where the second leg goes; without one `refusal` says why not."""

    dialled: str
    number: str
    callee: User | None = None
    uri: str | None = None
    refusal: int = 404


class Routes:
    """The dial plan of the enterprise."""

    def __init__(
        self,
        directory: Directory,
        carrier: Carrier,
        bindings: Callable[[User], Sequence[Binding]],
        is_ours: Callable[[SipUri], bool],
    ) -> None:
        self.directory = directory
        self.carrier = carrier
        self.bindings = bindings
        self.is_ours = is_ours

    def find(self, request_uri: str, caller: User | None) -> Route:
        """The route of a call by one of our users, or None for the outside world. Raises Refused(404) for nonsense."""
        try:
            uri = parse_uri(request_uri)
        except AddressError as error:
            raise Refused(404) from error
        dialled = (uri.user or "").partition(";")[0]
        if uri.host and not self.is_ours(uri):
            return Route(dialled, numbers.international(dialled), uri=request_uri if caller else None)
        number = numbers.international(dialled)
        callee = self.directory.by_dialled(dialled) or self.directory.by_login(dialled)
        if callee is not None:
            return self.to_user(dialled, callee, caller)
        if caller is not None and numbers.is_number(dialled):
            return Route(dialled, number, uri=self.carrier.uri(number))
        return Route(dialled, number)

    def to_user(self, dialled: str, callee: User, caller: User | None) -> Route:
        """The newest telephone of the user; 480 where there is none, 486 for a call to oneself."""
        if callee == caller:
            return Route(dialled, callee.number, callee, refusal=486)
        bindings = self.bindings(callee)
        uri = bindings[0].contact.uri if bindings else None
        return Route(dialled, callee.number, callee, uri, refusal=480)
