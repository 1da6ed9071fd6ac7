"""What phrases and background prompts sound like: wav files of the prompt storage, tones in place of speech.

Used by the IVR and for greetings. A background prompt may be fetched from an application's URL; nothing else is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache

from harness.reference.fetch import Fetcher, FetchError, url_problem
from harness.reference.media import load_wav, silence, tone
from harness.reference.media.audio import AudioError
from harness.reference.mediaservice.ivr.digits import seconds
from harness.reference.mediaservice.storage import PromptStorage, StorageError

_TEXTS = ("text", "Text", "ssml", "Ssml", "SSML", "input")
MAX_PHRASES = 100


class PhraseError(Exception):
    """A phrase that cannot be played; the text says why."""


class Sounds:
    """Turns phrases into PCM."""

    def __init__(self, storage: PromptStorage, fetcher: Fetcher) -> None:
        self.storage = storage
        self.fetcher = fetcher

    async def phrase(self, phrase: object) -> bytes:
        """The sound of one phrase. Raises PhraseError."""
        if not isinstance(phrase, Mapping):
            raise PhraseError("a phrase is not an object")
        name = phrase.get("fileName")
        if isinstance(name, str) and name:
            return await self._file(name)
        text = text_of(phrase)
        if not text:
            raise PhraseError("a phrase has neither fileName nor text")
        return _tone(text)

    async def background(self, prompt: Mapping[str, object]) -> bytes:
        """The sound of a background prompt with the pause behind it, to be repeated. Raises PhraseError."""
        name, url = prompt.get("fileName"), prompt.get("url")
        if isinstance(name, str) and name:
            pcm = await self._file(name)
        elif isinstance(url, str) and url:
            pcm = await self._fetched(url)
        else:
            raise PhraseError("a background prompt has neither fileName nor url")
        return pcm + silence(seconds(prompt.get("repeatPause")) or 0.0)

    async def _file(self, name: str) -> bytes:
        try:
            return await _decoded(self.storage.get(name))
        except (StorageError, AudioError) as error:
            raise PhraseError(f"{name[:80]}: {error}") from error

    async def _fetched(self, url: str) -> bytes:
        problem = url_problem(url)
        if problem:
            raise PhraseError(f"the URL of a background prompt {problem}")
        try:
            fetched = await self.fetcher.get(url)
            if not 200 <= fetched.status < 300:
                raise PhraseError(f"{url}: answered {fetched.status}")
            return await _decoded(fetched.body)
        except (FetchError, AudioError) as error:
            raise PhraseError(f"{url}: {error}") from error


async def _decoded(data: bytes) -> bytes:
    pcm = await asyncio.to_thread(load_wav, data)
    if not pcm:
        raise AudioError("no sound in it")
    return pcm


def text_of(phrase: Mapping[str, object]) -> str:
    """The text of a phrase to be spoken, wherever its parameters have it; the document does not show the member."""
    places = [phrase, phrase.get("awsTTSParameters"), phrase.get("googleTTSParameters")]
    for place in places:
        found: object = place
        for _ in range(3):
            if isinstance(found, Mapping):
                found = next((found[key] for key in _TEXTS if found.get(key)), None)
        if isinstance(found, str) and found.strip():
            return found
    return ""


@lru_cache(maxsize=64)
def _tone(text: str) -> bytes:
    return tone(text)
