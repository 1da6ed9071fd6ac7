"""Media of the reference platform: SDP offer/answer, G.711, RTP out and in, RFC 4733 digits, recording, relaying.

The systems under `harness/reference/` call it beside `sip`; it knows nothing of signalling, and never imports the rest
of the harness. One event loop, no threads. PCM is always signed 16 bit, little endian, 8000 Hz, mono.

How it is used::

    session = await RtpSession.open("127.0.0.1")         # a free port: session.port
    agreement = answer_offer(call.remote_sdp, session.host, session.port, ("PCMU", "PCMA"))   # SdpError
    call.answer(agreement.sdp)
    session.apply(agreement)                             # remote address, codec, payload types, direction

    sdp = build_offer(session.host, session.port, ("PCMA", "PCMU"))
    session.apply(read_answer(sdp, response.body))       # for an outgoing call

    session.on_digit = lambda digit: ...                 # "0".."9", "*", "#", "A".."D", once per key press
    await session.play(tone("any text"))                 # True when it was heard whole, False when stopped
    playback = session.start(load_wav(path), loop=True)  # playback.stop(); await playback.done()
    await session.send_digits("12#")
    session.start_recording(); pcm = session.stop_recording(); data = wav_bytes(pcm)
    relay = Relay(session, other)                        # both ways, digits too; relay.stop()
    monitor.start_source(Mixer(session, other))          # a third party hears both
    session.stats                                        # RtpStats: packets, lost, by payload type ...
    session.close()
"""

from .audio import load_wav, mix, silence, tone, wav_bytes
from .relay import Mixer, Relay
from .sdp import Agreement, Codec, SdpError, answer_offer, build_offer, parse_sdp, read_answer
from .session import Playback, RtpSession, RtpStats

__all__ = [
    "Agreement",
    "Codec",
    "Mixer",
    "Playback",
    "Relay",
    "RtpSession",
    "RtpStats",
    "SdpError",
    "answer_offer",
    "build_offer",
    "load_wav",
    "mix",
    "parse_sdp",
    "read_answer",
    "silence",
    "tone",
    "wav_bytes",
]
