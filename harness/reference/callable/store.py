"""Remembers the accounts of the one organisation: addresses, numbers, trunks, hooks, devices; and finds them for calls.

Called by the API and by the SIP side. It keeps everything in memory, within limits, and knows neither HTTP nor SIP. The page
shows no way to remove a thing, so where two claim the same number, extension or address, the one changed last counts.
"""

from __future__ import annotations

import ipaddress
import itertools
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from harness.reference.callable.fields import Json
from harness.reference.callable.numbers import same_number

MAX_RECORDS = 10_000


class StoreError(Exception):
    """The store will not do this; the text says why."""


@dataclass(frozen=True)
class Record:
    """A trunk, a hook or a device. `changed` is larger the later it was created or updated."""

    id: str
    account: str
    values: Json
    changed: int

    def text(self, name: str) -> str:
        """A value that is text; empty when it was never given."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def group(self, name: str) -> Json:
        """The settings of a device of this type; empty when there are none."""
        value = self.values.get(name)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Ddi:
    """An inbound number; `name` is the number itself."""

    id: str
    name: str


@dataclass
class Account:
    """An account and what belongs to it. Records are by kind and id, in the order of their creation."""

    id: str
    name: str
    mbn: str
    domain: str
    address: Json
    ddis: tuple[Ddi, ...]
    records: dict[str, dict[str, Record]] = field(
        default_factory=lambda: {kind: dict[str, Record]() for kind in ("trunk", "hook", "device")}
    )


class Store:
    """All accounts by id."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts = {account.id: account for account in accounts}
        self._changes = itertools.count(1)

    def account(self, account_id: str) -> Account | None:
        return self.accounts.get(account_id)

    def update_address(self, account: Account, values: Json) -> None:
        account.address = account.address | values

    def list_records(self, account: Account, kind: str) -> list[Record]:
        return list(account.records[kind].values())

    def record(self, account: Account, kind: str, record_id: str) -> Record | None:
        return account.records[kind].get(record_id)

    def create(self, account: Account, kind: str, values: Json) -> Record:
        """Keep a new thing under an id of the platform's choice. Raises StoreError when there is no room."""
        if len(account.records[kind]) >= MAX_RECORDS:
            raise StoreError(f"the account has {MAX_RECORDS} of this kind, and no room for more")
        record = Record(str(uuid.uuid4()), account.id, values, next(self._changes))
        self.keep(account, kind, record)
        return record

    def update(self, account: Account, kind: str, record: Record, values: Json) -> None:
        """Change what is given and keep the rest."""
        self.keep(account, kind, replace(record, values=record.values | values, changed=next(self._changes)))

    def keep(self, account: Account, kind: str, record: Record) -> None:
        account.records[kind][record.id] = record

    def ddi(self, number: str) -> tuple[Account, Ddi] | None:
        """The inbound number that this is, in whatever form, and whose."""
        for account in self.accounts.values():
            for ddi in account.ddis:
                if same_number(ddi.name, number):
                    return account, ddi
        return None

    def route_start(self, account: Account, ddi: Ddi) -> Record | None:
        """The ROUTE_START that lists this number."""
        return _latest(device for device in self._devices(account, "ROUTE_START") if self.lists(device, ddi))

    def lists(self, device: Record, ddi: Ddi) -> bool:
        listed = device.group("startRoute").get("ddis")
        return isinstance(listed, list) and ddi.id in listed

    def device_at(self, account: Account, extension: str) -> Record | None:
        """The device with this extension."""
        devices = account.records["device"].values()
        return _latest(device for device in devices if extension and device.text("extension") == extension)

    def trunk_from(self, host: str) -> Record | None:
        """The trunk, of whatever account, that has this address."""
        wanted = _address(host)
        trunks = (trunk for account in self.accounts.values() for trunk in account.records["trunk"].values())
        return _latest(trunk for trunk in trunks if _address(trunk.text("ip")) == wanted)

    def hooks(self, account: Account, app: str) -> list[Record]:
        """The hooks of one kind, by priority and then by age."""
        found = [hook for hook in account.records["hook"].values() if hook.values.get("app") == app]
        return sorted(found, key=_priority)

    def _devices(self, account: Account, kind: str) -> Iterator[Record]:
        return (device for device in account.records["device"].values() if device.text("type") == kind)


def _latest(records: Iterable[Record]) -> Record | None:
    return max(records, key=lambda record: record.changed, default=None)


def _priority(hook: Record) -> int:
    priority = hook.values.get("priority")
    return priority if isinstance(priority, int) else 0


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def first_accounts() -> list[Account]:
    """Two accounts with addresses and inbound numbers (of a range kept for drama), without trunks, hooks or devices."""
    return [
        _account("Example Bakery", "examplebakery", "1 Example Street", "441632960100"),
        _account("Example Garage", "examplegarage", "2 Example Street", "441632960200"),
    ]


def _account(name: str, domain: str, street: str, first_number: str) -> Account:
    address: Json = {
        "line1": street,
        "line2": "Second floor",
        "level1": "Greater London",
        "level2": "London",
        "postalCode": "SW1A1AA",
        "country": "United Kingdom",
    }
    ddis = tuple(Ddi(secrets.token_hex(12), str(int(first_number) + offset)) for offset in range(5))
    return Account(secrets.token_hex(12), name, first_number, domain, address, ddis)
