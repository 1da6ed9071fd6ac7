"""Recordings of connections: both sides mixed, put into the prompt storage as a wav file, told by recordingReady.

Called by operations and by the call control when a connection ends. The file's name is the application's, whatever its
ending says about the format.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.reference.media import RtpSession, mix, wav_bytes
from harness.reference.mediaservice.callbacks import Callbacks
from harness.reference.mediaservice.messages import Messages
from harness.reference.mediaservice.model import Connection
from harness.reference.mediaservice.storage import PromptStorage, StorageError


@dataclass
class ConnectionRecording:
    """A recording that runs: its file name and the RTP sessions that are heard."""

    name: str
    heard: list[RtpSession]


class Recordings:
    """Starts and finishes recordings."""

    def __init__(self, storage: PromptStorage, callbacks: Callbacks, messages: Messages) -> None:
        self.storage = storage
        self.callbacks = callbacks
        self.messages = messages

    def start(self, connection: Connection, name: str | None) -> bool:
        """Record a connection from now on; False when it is recorded already, or has no media here."""
        heard = [
            one.leg.media
            for one in (connection.caller, connection.callee)
            if one.leg is not None and one.leg.media is not None
        ]
        if connection.recording is not None or not heard:
            return False
        for media in heard:
            media.start_recording()
        connection.recording = ConnectionRecording(name or f"recording-{connection.id}.wav", heard)
        return True

    def stop(self, connection: Connection) -> bool:
        """Finish the recording, if there is one: store it, and tell."""
        recording, connection.recording = connection.recording, None
        if recording is None:
            return False
        pcm = [media.stop_recording() for media in recording.heard]
        connection.session.start(self._finish(connection, recording.name, pcm))
        return True

    async def _finish(self, connection: Connection, name: str, pcm: list[bytes]) -> None:
        data = await asyncio.to_thread(lambda: wav_bytes(mix(*pcm)))
        problem = None
        try:
            self.storage.put(name, data)
        except StorageError as error:
            problem = str(error)
        members = self.messages.recording_ready(connection, name, 0 if problem else len(data), problem)
        self.callbacks.tell(connection.session, "recordingReady", members)
