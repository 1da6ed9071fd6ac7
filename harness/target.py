"""What is tested: the target file (the IXIT of conformance testing), read, validated and explained.

One TOML file describes one implementation: a table per system with addresses and credentials, and tables for the recorder,
dialling, timing and rate. Secrets may be written as `${NAME}` and are then taken from the environment. Nothing here opens a
connection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.tomlfile import Complaint, Steps, read_toml


class TargetError(Exception):
    """A target file cannot be used. The message names file, line and key, what was expected, and what stands there."""


def _http_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", value):
        raise ValueError("expected a URL that starts with http:// or https:// and has neither spaces nor a query")
    try:
        port = urlsplit(value).port
    except ValueError as error:
        raise ValueError(f"expected a URL with a host and a port up to 65535 ({error})") from error
    if port == 0:
        raise ValueError("expected a URL with a port from 1 to 65535")
    return value.rstrip("/")


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if (
        not re.fullmatch(r"[^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]", host)
        or not re.fullmatch(r"[0-9]{1,5}", port)
        or int(port) > 65535
    ):
        raise ValueError("expected host:port, such as 127.0.0.1:5060 or [::1]:5060")
    return value


Url = Annotated[str, AfterValidator(_http_url)]
Address = Annotated[str, AfterValidator(_host_port)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
Secret = Annotated[str, Field(repr=False)]
MaybeSecret = Annotated[str | None, Field(repr=False)]


class Table(BaseModel):
    """Every table of a target file refuses keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class SipTarget(Table):
    """Where the implementation takes SIP requests."""

    address: Address
    transport: Literal["udp", "tcp"] = "udp"
    domain: str | None = None


class PstnTarget(Table):
    """Where the implementation's calls to outside numbers come out: the harness listens there."""

    listen: Address
    numbers: tuple[str, ...] = ()


class UserTarget(Table):
    """A user of the implementation that the harness may act as. `aor`: user@domain."""

    aor: str
    password: Secret
    id: str | None = None
    number: str | None = None


class S3Target(Table):
    """The bucket to which prompt files may be moved.

    `kms_key`: a key that objects there may be encrypted with. `recorder_path`: where the implementation writes to the
    bucket at the harness's recorder, if the recorder plays S3.
    """

    region: str
    bucket: str
    kms_key: str | None = None
    recorder_path: str | None = None


class SystemTarget(Table):
    """One system under test. `capabilities`: what it supports; what is not declared is not judged.

    `scratch`: it may be littered; what no operation can delete again is then made by the dozen too.
    """

    SECRETS: ClassVar[tuple[str, ...]] = (
        "password",
        "client_secret",
        "limited_client_secret",
        "short_lived_password",
        "token",
        "secret_key",
        "application",
    )

    base_url: Url
    capabilities: tuple[str, ...] = ()
    username: str | None = None
    password: MaybeSecret = None
    token: MaybeSecret = None
    verify_tls: bool = True
    scratch: bool = False
    sip: SipTarget | None = None
    pstn: PstnTarget | None = None
    users: tuple[UserTarget, ...] = ()

    @property
    def secrets(self) -> Iterator[str]:
        """Every value that may appear in no report."""
        for name in self.SECRETS:
            if value := getattr(self, name, None):
                yield value
        for user in self.users:
            yield user.password
        for _, url in self:
            if isinstance(url, str) and "@" in url and (password := urlsplit(url).password):
                yield password


class ApidazeTarget(SystemTarget):
    """Apidaze: OAuth 2.0 client credentials."""

    token_url: Url
    client_id: str
    client_secret: Secret
    credentials_in: Literal["body", "basic"] = "body"
    body_encoding: Literal["form", "json"] = "form"
    limited_client_id: str | None = None
    limited_client_secret: MaybeSecret = None
    status_domain_member: str | None = None
    hsts_without_tls: bool = False


class CallableTarget(SystemTarget):
    """Callable: password grant. `short_lived_…`: another user, whose access tokens live a few seconds only."""

    username: str
    password: Secret
    account: str | None = None
    short_lived_username: str | None = None
    short_lived_password: MaybeSecret = None


class VtxTarget(SystemTarget):
    """VTX: HTTP Basic and an application header."""

    username: str
    password: Secret
    application: str


class MediaserviceTarget(SystemTarget):
    """Mediaservice: how it authenticates is up to the installation; its twins of operations take the `token`."""

    NEEDED: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "basic": ("username", "password"),
        "bearer": ("token",),
        "sigv4": ("access_key", "secret_key", "region"),
    }

    domain: str
    auth: Literal["none", "basic", "bearer", "sigv4"] = "none"
    access_key: str | None = None
    secret_key: MaybeSecret = None
    region: str | None = None
    s3: S3Target | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        missing = [name for name in self.NEEDED.get(self.auth, ()) if not getattr(self, name)]
        if missing:
            raise ValueError(f'auth = "{self.auth}" needs the keys {", ".join(missing)}')
        return self


class RecorderTarget(Table):
    """Where the harness takes callbacks; `public_url` is the same place as the implementation reaches it."""

    listen: Address = "127.0.0.1:0"
    public_url: Url | None = None


class DialTarget(Table):
    """What may be dialled, besides the harness's own agents; `*` stands for any characters."""

    allow: tuple[str, ...] = ()


class Timing(Table):
    """How long things may take, in seconds."""

    connect: Seconds = 5.0
    answer: Seconds = 10.0
    callback: Seconds = 5.0
    quiet: Seconds = 1.0


class Rate(Table):
    """How hard the harness may knock."""

    max_per_second: Annotated[float, Field(gt=0)] | None = None


_SYSTEMS: dict[str, type[SystemTarget]] = {
    "apidaze": ApidazeTarget,
    "callable": CallableTarget,
    "vtx": VtxTarget,
    "mediaservice": MediaserviceTarget,
}
_SHARED: dict[str, type[Table]] = {"recorder": RecorderTarget, "dial": DialTarget, "timing": Timing, "rate": Rate}


class Target(BaseModel):
    """A whole target file."""

    model_config = ConfigDict(frozen=True)

    systems: Mapping[str, SystemTarget]
    recorder: RecorderTarget = RecorderTarget()
    dial: DialTarget = DialTarget()
    timing: Timing = Timing()
    rate: Rate = Rate()
    embedded: bool = False

    @property
    def secrets(self) -> Iterator[str]:
        for system in self.systems.values():
            yield from system.secrets

    def to_plain(self) -> dict[str, Any]:
        """The tables as they stand in a file; `parse_target` is the way back."""
        tables: dict[str, Any] = {
            name: table.model_dump(mode="json", exclude_none=True) for name, table in self.systems.items()
        }
        for name in _SHARED:
            tables[name] = getattr(self, name).model_dump(mode="json", exclude_none=True)
        return tables


def load_target(path: Path, capabilities: Mapping[str, Mapping[str, str]]) -> Target:
    """Read a target file. `capabilities`: what each known system may declare, by system.

    Raises:
        TargetError: no such file, not TOML, an unknown system, key or capability, a bad value, a missing variable.
    """
    tables, lines = read_toml(path, TargetError, "`ringtrue init SYSTEM` writes one")
    return parse_target(tables, capabilities, where=str(path), lines=lines)


def parse_target(
    tables: Mapping[str, Any],
    capabilities: Mapping[str, Mapping[str, str]],
    *,
    where: str = "target",
    lines: list[str] | None = None,
    embedded: bool = False,
    environment: bool = True,
) -> Target:
    """Turn tables into a target; see `load_target` for the errors. `environment` False: `${NAME}` was filled in before."""
    complain = Complaint(where, lines or [], TargetError, hidden=SystemTarget.SECRETS)
    values: dict[str, Any] = {"systems": {}, "embedded": embedded}
    known = [*capabilities, *_SHARED]
    for name, table in tables.items():
        if name not in known:
            raise complain(f"unknown system or table [{name}]", known, (name,))
        if not isinstance(table, Mapping):
            raise complain(f"{name} = …: expected a table [{name}]", (), (name,))
        filled = _from_environment(table, complain, (name,)) if environment else table
        model = _SHARED.get(name) or _SYSTEMS.get(name, SystemTarget)
        try:
            made = model.model_validate(filled)
        except ValidationError as error:
            raise complain.explain(error, model, (name,)) from error
        if isinstance(made, SystemTarget):
            for capability in made.capabilities:
                if capability not in capabilities[name]:
                    raise complain(
                        f"unknown capability {capability!r}", list(capabilities[name]), (name, "capabilities")
                    )
            values["systems"][name] = made
        else:
            values[name] = made
    if not values["systems"]:
        raise complain("no system is described", list(capabilities))
    return Target(**values)


def _from_environment(value: Any, complain: Complaint, path: Steps) -> Any:
    if isinstance(value, Mapping):
        return {name: _from_environment(item, complain, (*path, str(name))) for name, item in value.items()}
    if isinstance(value, list):
        return [_from_environment(item, complain, (*path, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def fill(match: re.Match[str]) -> str:
        held = os.environ.get(match[1])
        if not held:
            state = "not set" if held is None else "empty"
            raise complain(f"{'.'.join(path)}: the environment variable {match[1]} is {state}", (), path)
        return held

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", fill, value)
