"""The prompt storage: named sound files in memory, and pre-signed addresses that fetch them for fifteen minutes.

Used by the operations on prompt files, by the IVR and by recordings. It serves nothing itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

PAGE = 10
URL_SECONDS = 900
MAX_FILE = 16 << 20
_MAX_FILES = 2000
_MAX_TOTAL = 256 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StorageError(Exception):
    """The storage cannot do this; the text says why. `code` is what an underlying store would call it."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class PromptStorage:
    """Files by name, in the order of their names. `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.files: dict[str, bytes] = {}
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def put(self, name: str, data: bytes) -> None:
        """Add or replace. Raises StorageError for a bad name, or when there is no room."""
        if not _NAME.fullmatch(name):
            raise StorageError("InvalidName", f"'{name[:80]}' cannot be the name of a file")
        held = sum(len(content) for content in self.files.values()) - len(self.files.get(name, b""))
        if len(data) > MAX_FILE or held + len(data) > _MAX_TOTAL or len(self.files) >= _MAX_FILES:
            raise StorageError("NoRoom", "there is no room for this file")
        self.files[name] = data

    def get(self, name: str) -> bytes:
        """The bytes of a file. Raises StorageError."""
        try:
            return self.files[name]
        except KeyError:
            raise StorageError("NoSuchKey", f"there is no file '{name[:80]}'") from None

    def delete(self, name: str) -> None:
        """Remove a file. Raises StorageError."""
        self.get(name)
        del self.files[name]

    def page(self, after: str | None) -> tuple[list[tuple[str, int]], str | None]:
        """Names and sizes behind the name `after`, and what to give for the next page; None at the end."""
        names = sorted(name for name in self.files if after is None or name > after)
        shown = names[:PAGE]
        return [(name, len(self.files[name])) for name in shown], shown[-1] if len(names) > PAGE else None

    def signed_query(self, name: str) -> str:
        """The query that opens the address of a file for fifteen minutes, in the form that S3 uses."""
        until = str(int(self._clock()) + URL_SECONDS)
        return f"X-Amz-Expires={URL_SECONDS}&Ringtrue-Until={until}&X-Amz-Signature={self._sign(name, until)}"

    def opens(self, name: str, until: str, signature: str) -> bool:
        """Whether a query opens the address of that file now."""
        if not (until.isascii() and until.isdigit() and len(until) < 16) or int(until) < self._clock():
            return False
        return hmac.compare_digest(self._sign(name, until), signature)

    def _sign(self, name: str, until: str) -> str:
        return hmac.new(self._key, f"{name}\n{until}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
