"""Mediaservice faults with prompt files: lost, changed, listed otherwise, with URLs that do not keep what they promise.

Part of the fault catalogue. Each function patches the storage, or the operations on it, before the system starts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from harness.reference.faults.fault import Collector, put, wrap
from harness.reference.mediaservice.http.prompts import Result

collect = Collector("mediaservice")


@collect("put-lost", "MS-prompt-put-listed", "a file that was put is not kept")
def _put_lost(system: Any) -> None:
    put(system.prompts, "put", lambda _name, _data: Result(200, {"success": True}))


@collect("put-changed", "MS-prompt-put-audio", "a file is kept with other bytes")
def _put_changed(system: Any) -> None:
    wrap(system.storage, "put", lambda really, name, data: really(name, bytes(reversed(data))))


@collect("put-not-replaced", "MS-prompt-put-replaces", "a second PUT leaves the first file")
def _put_kept(system: Any) -> None:
    def keep(really: Callable[..., None], name: str, data: bytes) -> None:
        if name not in system.storage.files:
            really(name, data)

    wrap(system.storage, "put", keep)


def _paged(change: Callable[[list[tuple[str, int]], str | None], Any], system: Any) -> None:
    wrap(system.storage, "page", lambda really, after: change(*really(after)))


for _id, _clause, _words, _how in (
    (
        "size-wrong",
        "prompt-put-size",
        "sizes in the list are one too many",
        lambda f, n: ([(a, b + 1) for a, b in f], n),
    ),
    (
        "list-incomplete",
        "prompt-list-complete",
        "the list leaves out the last file",
        lambda f, n: (f if n else f[:-1], n),
    ),
    ("list-next-kept", "prompt-list-next-null", "next is never null", lambda f, n: (f, n or (f[-1][0] if f else "x"))),
):
    collect.add(_id, f"MS-{_clause}", _words, partial(_paged, _how))
collect.add(
    "list-size-type",
    "MS-PromptFileList.files.size",
    "sizes are texts",
    partial(_paged, lambda f, n: ([(a, "1") for a, _ in f], n)),
)
collect.add(
    "list-name-type",
    "MS-PromptFileList.files.name",
    "names are numbers",
    partial(_paged, lambda f, n: ([(1, b) for _, b in f], n)),
)


@collect("next-ignored", "MS-prompt-list-next", "next brings the first page again")
def _next_ignored(system: Any) -> None:
    wrap(system.storage, "page", lambda really, _after: really(None))


@collect("delete-lost", "MS-prompt-deleted-gone", "a deleted file stays")
def _delete_lost(system: Any) -> None:
    put(system.storage, "delete", lambda _name: None)


@collect("delete-all", "MS-prompt-delete-only-one", "deleting a file deletes all")
def _delete_all(system: Any) -> None:
    put(system.storage, "delete", lambda _name: system.storage.files.clear())


def _url_members(change: Callable[[dict[str, Any]], dict[str, Any]], system: Any) -> None:
    def url(really: Callable[..., Result], name: str, base: str) -> Result:
        result = really(name, base)
        return Result(result.status, change(result.members))

    wrap(system.prompts, "url", url)


_URLS: tuple[tuple[str, str, str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    (
        "url-refused",
        "prompt-url-given",
        "no file has a url",
        lambda _m: {"success": False, "reason": "no", "error": "no"},
    ),
    ("url-on-failure", "prompt-url-only-on-success", "a failure has a url", lambda m: {"url": "http://127.0.0.1/"} | m),
    (
        "reason-on-success",
        "prompt-url-no-reason-on-success",
        "a success has a reason",
        lambda m: {"reason": "fine"} | m,
    ),
    (
        "no-reason-on-failure",
        "prompt-url-reason-on-failure",
        "a failure has no reason",
        lambda m: {key: value for key, value in m.items() if key != "reason"},
    ),
    (
        "url-for-unknown",
        "prompt-url-unknown",
        "a file that is not there has a url",
        lambda m: m if m["success"] else {"success": True, "url": "http://127.0.0.1:9/gone"},
    ),
    (
        "url-declares-a-day",
        "prompt-url-declares-15-minutes",
        "a url tells a life of a day",
        lambda m: {
            key: str(value).replace("Expires=900", "Expires=86400") if key == "url" else value
            for key, value in m.items()
        },
    ),
)
for _id, _clause, _words, _url_change in _URLS:
    collect.add(_id, f"MS-{_clause}", _words, partial(_url_members, _url_change))


@collect("url-does-not-open", "MS-prompt-url-fetches", "a pre-signed url does not open")
def _closed(system: Any) -> None:
    put(system.storage, "opens", lambda *_asked: False)


def _move_without(member: str, system: Any) -> None:
    async def move(really: Callable[..., Awaitable[Result]], name: str, asked: dict[str, Any]) -> Result:
        result = await really(name, asked)
        missing = result.status == 400 and (member not in asked if member else asked.get("type") != "s3")
        return Result(200, {"success": True}) if missing else result

    wrap(system.prompts, "move", move)


for _member in ("bucketRegion", "bucketName", "type"):
    collect.add(
        f"move-without-{_member}",
        f"MS-prompt-move-{_member}",
        f"a move without {_member} is accepted",
        partial(_move_without, _member),
    )
collect.add("move-elsewhere", "MS-prompt-move-type-s3", "a move of any type is accepted", partial(_move_without, ""))


@collect("move-keeps", "MS-prompt-move-gone", "a file that was moved stays in the storage")
def _move_keeps(system: Any) -> None:
    def delete(really: Callable[[str], None], name: str) -> None:
        if not system.prompts.s3:
            really(name)

    wrap(system.storage, "delete", delete)


@collect("refused-move-deletes", "MS-prompt-move-refused-keeps", "a move that was not accepted deletes the file")
def _move_deletes(system: Any) -> None:
    async def move(really: Callable[..., Awaitable[Result]], name: str, asked: dict[str, Any]) -> Result:
        result = await really(name, asked)
        if result.status == 400:
            system.storage.files.pop(name, None)
        return result

    wrap(system.prompts, "move", move)
