"""The scenarios of VTX: its feature files, bound to tests by pytest-bdd."""

from harness.suites.scenarios.features import bind

bind(globals(), "vtx")
