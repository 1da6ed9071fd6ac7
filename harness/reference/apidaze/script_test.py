"""The script test: triggers the script at a URL and reports what came back.

Called by the API for `GET /externalscripts/test`. It runs no call and keeps nothing.
"""

from __future__ import annotations

from harness.reference.apidaze.answers import ApiError
from harness.reference.apidaze.model import Json
from harness.reference.apidaze.script import ScriptError, parse_script
from harness.reference.fetch import Fetcher, FetchError


class ScriptTest:
    """Fetches once and describes."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def run(self, url: str) -> Json:
        """The report. Raises ApiError 502 when nothing usable comes back."""
        try:
            fetched = await self._fetcher.get(self.url_to_fetch(url))
        except FetchError as error:
            raise ApiError(502, f"The script could not be fetched: {error}") from error
        report: Json = {
            "url": url,
            "status": fetched.status,
            "content_type": fetched.content_type,
            "length": len(fetched.body),
            "milliseconds": round(fetched.seconds * 1000),
        }
        try:
            script = parse_script(fetched.body)
        except ScriptError as error:
            return report | {"valid": False, "problem": str(error)}
        return report | {
            "valid": True,
            "verbs": [verb.name for verb in script.verbs],
            "ignored": list(script.ignored),
        }

    def url_to_fetch(self, url: str) -> str:
        return url
