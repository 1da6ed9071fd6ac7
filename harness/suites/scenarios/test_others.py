"""The scenarios of systems that a user brings along; their steps come with the user's own plugins."""

from harness.suites.current import current_plan
from harness.suites.scenarios.features import STEPS, bind

bind(globals(), *(system for system in current_plan().contracts if system not in STEPS))
