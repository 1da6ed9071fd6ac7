"""The operations on prompt files, and the place at which a pre-signed URL fetches one (MS /{domain}/promptfile…).

Called by the API with checked paths. A file moves to S3 only where the platform was given an S3 endpoint to write to.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.reference.fetch import Fetcher, FetchError
from harness.reference.mediaservice.http import members
from harness.reference.mediaservice.http.members import Kind
from harness.reference.mediaservice.storage import PromptStorage, StorageError

Members = dict[str, Any]

MOVE_TABLE: Mapping[str, Kind] = {
    "bucketRegion": members.user,
    "bucketName": members.user,
    "kmsKey": members.text,
    "objectKey": members.text,
    "type": members.codec("s3"),
}
MOVE_REQUIRED = ("bucketRegion", "bucketName", "type")


@dataclass(frozen=True)
class Result:
    """A status and the members of the answer."""

    status: int
    members: Members


class PromptFiles:
    """What the API does with the storage. `s3`: base URL of an S3 endpoint, or None."""

    def __init__(self, storage: PromptStorage, fetcher: Fetcher, s3: str | None) -> None:
        self.storage = storage
        self.fetcher = fetcher
        self.s3 = s3.rstrip("/") if s3 else None

    def list(self, after: str | None) -> Result:
        """One page; `after` is the `next` of the page before."""
        try:
            begin = decode_next(after) if after else None
        except ValueError:
            return Result(400, {"success": False, "reason": "next is none that was given", "files": [], "next": None})
        files, last = self.storage.page(begin)
        shown = [{"name": name, "size": size} for name, size in files]
        return Result(200, {"success": True, "files": shown, "next": encode_next(last) if last else None})

    def put(self, name: str, data: bytes) -> Result:
        try:
            self.storage.put(name, data)
        except StorageError as error:
            return Result(400, {"success": False, "reason": str(error)})
        return Result(200, {"success": True})

    def delete(self, name: str) -> Result:
        try:
            self.storage.delete(name)
        except StorageError as error:
            return Result(200, {"success": False, "reason": str(error)})
        return Result(200, {"success": True})

    def url(self, name: str, base: str) -> Result:
        """The pre-signed URL of a file below `base`."""
        try:
            self.storage.get(name)
        except StorageError as error:
            return Result(200, {"success": False, "reason": str(error), "error": error.code})
        return Result(200, {"success": True, "url": f"{base}/{quote(name)}?{self.storage.signed_query(name)}"})

    async def move(self, name: str, asked: Mapping[str, Any]) -> Result:
        """Move a file to a bucket; it stays where it is unless it arrived."""
        problem = members.problem(asked, MOVE_TABLE, MOVE_REQUIRED)
        if problem:
            return Result(400, {"success": False, "reason": problem})
        try:
            data = self.storage.get(name)
            await self._upload(data, f"{asked['bucketName']}/{quote(str(asked.get('objectKey', name)))}", asked)
            if self.storage.files.get(name) is data:
                self.storage.delete(name)
        except (StorageError, FetchError) as error:
            return Result(200, {"success": False, "reason": f"The file was not moved: {error}"})
        return Result(200, {"success": True})

    async def _upload(self, data: bytes, path: str, asked: Mapping[str, Any]) -> None:
        """Write an object. Raises FetchError."""
        if self.s3 is None:
            raise FetchError("S3 cannot be reached from here")
        headers = {"content-type": "application/octet-stream", "x-amz-bucket-region": str(asked["bucketRegion"])}
        if "kmsKey" in asked:
            headers |= {
                "x-amz-server-side-encryption": "aws:kms",
                "x-amz-server-side-encryption-aws-kms-key-id": str(asked["kmsKey"]),
            }
        answer = await self.fetcher.request("PUT", f"{self.s3}/{path}", data, headers)
        if not 200 <= answer.status < 300:
            raise FetchError(f"the bucket answered {answer.status}")


def encode_next(name: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(name).encode()).decode()


def decode_next(text: str) -> str:
    """The name in a `next`. Raises ValueError."""
    try:
        name = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise ValueError("not a next") from error
    if not isinstance(name, str):
        raise ValueError("not a next")
    return name
