"""The scenarios of Mediaservice: its feature files, bound to tests by pytest-bdd."""

from harness.suites.scenarios.features import bind

bind(globals(), "mediaservice")
