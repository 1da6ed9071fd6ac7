"""The RTP probe: a port that a SIPp script can put into its SDP, and what was heard there, counted.

Scenario steps open an `RtpProbe` beside a SIPp agent; its report lands in the timeline. It knows nothing of what the
implementation claims about the media, and shares no code with the reference platform.
"""

from harness.drivers.rtp.probe import ProbeError, RtpProbe
from harness.drivers.rtp.sdp import AudioMedia, audio_of

__all__ = ["AudioMedia", "ProbeError", "RtpProbe", "audio_of"]
