"""Moved: `ringtrue faults --system SYSTEM [--only REGEX] [--jobs N] [--json FILE] [--update] -v` runs the kill matrix."""

import sys

sys.exit(__doc__)
