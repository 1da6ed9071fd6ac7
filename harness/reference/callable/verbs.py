"""What a call is asked to do, as values: targets to dial and verbs to run, read from JSON (CA Create a Voice call).

Called by the API for voice calls, and for what flow hooks and redirects answer. Pure. Members that the page shows are read
as shown; those of play, gather, reject, redirect, sipUri and device are the usual ones, as the page only names these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.reference.callable.fields import Json, members, number, text
from harness.reference.callable.numbers import is_number
from harness.reference.fetch import url_problem
from harness.reference.sip import AddressError, parse_uri
from harness.reference.web import BadRequestError

MAX_VERBS = 100
_MAX_TARGETS = 10
_MAX_TEXTS = 20
_MAX_TAGS = 50
_RING_SECONDS = 60
_LIMIT_SECONDS = 14_400


@dataclass(frozen=True)
class Target:
    """Whom to dial: `kind` is phoneNumber, extension, sipUri or device. `override`: whom to call behind the trunk."""

    kind: str
    value: str
    override: str = ""


@dataclass(frozen=True)
class Dial:
    """Call someone else and connect the two; seconds."""

    targets: tuple[Target, ...]
    caller_id: str = ""
    timeout: int = _RING_SECONDS
    time_limit: int = _LIMIT_SECONDS


@dataclass(frozen=True)
class Say:
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Play:
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Gather:
    """Take digits until there are enough, the finishing key comes, or none has come for `timeout` seconds."""

    max_digits: int = 32
    timeout: int = 5
    finish_key: str = "#"


@dataclass(frozen=True)
class Reject:
    reason: str = ""


@dataclass(frozen=True)
class Hangup:
    reason: str = ""


@dataclass(frozen=True)
class Redirect:
    """Go on with the verbs that this URL answers; without one, with those of the flow hook that steers the call."""

    url: str = ""


Verb = Dial | Say | Play | Gather | Reject | Hangup | Redirect


@dataclass(frozen=True)
class VoiceCall:
    """A call to be made. A blank `caller_id` stands for the account's main billing number."""

    target: Target
    verbs: tuple[Verb, ...]
    caller_id: str
    tags: Json


def read_voice_call(given: Json) -> VoiceCall:
    """Raises BadRequestError with words for the caller."""
    for name in ("target", "verbs"):
        if given.get(name) is None:
            raise BadRequestError(f"{name} is required")
    tag = members("tag", given.get("tag") or {})
    tags = members("tag.data", tag.get("data") or {})
    if len(tags) > _MAX_TAGS:
        raise BadRequestError(f"tag.data has more than {_MAX_TAGS} members")
    for name, value in tags.items():
        text("a name in tag.data", name)
        if isinstance(value, str):
            text(f"tag.data.{name}", value)
        elif isinstance(value, dict | list):
            raise BadRequestError(f"tag.data.{name} must be a single value")
    caller_id = _caller_id("callerId", given.get("callerId"))
    return VoiceCall(read_target("target", given["target"]), read_verbs("verbs", given["verbs"]), caller_id, tags)


def read_verbs(name: str, given: object) -> tuple[Verb, ...]:
    """A list of objects with one key each, the verb's name. Raises BadRequestError."""
    if not isinstance(given, list) or len(given) > MAX_VERBS:
        raise BadRequestError(f"{name} must be a list of at most {MAX_VERBS} verbs")
    return tuple(_verb(f"{name}[{position}]", item) for position, item in enumerate(given))


def read_target(name: str, given: object) -> Target:
    """An object with one key, the type. Raises BadRequestError."""
    kind, value = _only_member(name, given, _TARGETS)
    values = members(f"{name}.{kind}", value)
    main = _TARGETS[kind]
    if main not in values:
        raise BadRequestError(f"{name}.{kind}.{main} is required")
    said = text(f"{name}.{kind}.{main}", values[main])
    if not said or any(character in said for character in ' <>"'):
        raise BadRequestError(f"{name}.{kind}.{main} is blank, or holds blanks, quotes or brackets")
    if kind == "phoneNumber" and not is_number(said):
        raise BadRequestError(f"{name}.{kind}.{main} must be a telephone number such as +441632960961")
    if kind == "sipUri":
        _check_sip_uri(f"{name}.{kind}.{main}", said)
    override = values.get("overrideTo") if kind == "extension" else None
    return Target(kind, said, "" if override is None else _user(f"{name}.{kind}.overrideTo", override))


# The member that says who it is, by type of target.
_TARGETS: Mapping[str, str] = {"phoneNumber": "number", "extension": "extension", "sipUri": "uri", "device": "id"}


def _verb(name: str, given: object) -> Verb:
    kind, value = _only_member(name, given, _VERBS)
    return _VERBS[kind](f"{name}.{kind}", members(f"{name}.{kind}", {} if value is None else value))


def _dial(name: str, values: Json) -> Dial:
    listed = values.get("targets")
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MAX_TARGETS:
        raise BadRequestError(f"{name}.targets must be a list of 1 to {_MAX_TARGETS} targets")
    return Dial(
        tuple(read_target(f"{name}.targets[{position}]", item) for position, item in enumerate(listed)),
        _caller_id(f"{name}.callerId", values.get("callerId")),
        _number(name, values, "timeout", _RING_SECONDS, 600),
        _number(name, values, "timeLimit", _LIMIT_SECONDS, 86_400),
    )


def _say(name: str, values: Json) -> Say:
    return Say(_texts(f"{name}.text", values.get("text")))


def _play(name: str, values: Json) -> Play:
    urls = _texts(f"{name}.url", values.get("url"))
    for url in urls:
        problem = url_problem(url)
        if problem:
            raise BadRequestError(f"{name}.url {problem}")
    return Play(urls)


def _gather(name: str, values: Json) -> Gather:
    key = text(f"{name}.finishOnKey", values.get("finishOnKey", "#"), 1)
    return Gather(_number(name, values, "maxDigits", 32, 128), _number(name, values, "timeout", 5, 60), key)


def _reject(name: str, values: Json) -> Reject:
    return Reject(text(f"{name}.reason", values.get("reason") or ""))


def _hangup(name: str, values: Json) -> Hangup:
    return Hangup(text(f"{name}.reason", values.get("reason") or ""))


def _redirect(name: str, values: Json) -> Redirect:
    url = text(f"{name}.url", values.get("url") or "", 2048)
    problem = url_problem(url) if url else None
    if problem:
        raise BadRequestError(f"{name}.url {problem}")
    return Redirect(url)


_VERBS: Mapping[str, Callable[[str, Json], Verb]] = {
    "dial": _dial,
    "say": _say,
    "play": _play,
    "gather": _gather,
    "reject": _reject,
    "hangup": _hangup,
    "redirect": _redirect,
}


def _only_member(name: str, given: object, known: Mapping[str, object]) -> tuple[str, object]:
    values = members(name, given)
    if len(values) != 1:
        raise BadRequestError(f"{name} must have exactly one member, which says what it is")
    ((kind, value),) = values.items()
    if kind not in known:
        raise BadRequestError(f"{name} has the unknown member {kind!r:.40}; known are {', '.join(known)}")
    return kind, value


def _texts(name: str, given: object) -> tuple[str, ...]:
    """One string or a list of them."""
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MAX_TEXTS:
        raise BadRequestError(f"{name} must be a list of 1 to {_MAX_TEXTS} strings")
    return tuple(text(name, item, 4096) for item in listed)


def _number(name: str, values: Json, member: str, default: int, high: int) -> int:
    value = values.get(member)
    return default if value is None else number(f"{name}.{member}", value, 1, high)


def _caller_id(name: str, given: object) -> str:
    value = text(name, "" if given is None else given).strip()
    if value and not is_number(value):
        raise BadRequestError(f"{name} must be blank or a telephone number such as +441632960961")
    return value


def _user(name: str, given: object) -> str:
    value = text(name, given, 64)
    if any(character in value for character in ' <>"@'):
        raise BadRequestError(f"{name} holds blanks, quotes, brackets or @")
    return value


def _check_sip_uri(name: str, given: str) -> None:
    try:
        scheme = parse_uri(given).scheme
    except AddressError as error:
        raise BadRequestError(f"{name}: {error}") from error
    if scheme != "sip":
        raise BadRequestError(f"{name} must be a sip: URI")
