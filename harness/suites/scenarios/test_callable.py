"""The scenarios of Callable: its feature files, bound to tests by pytest-bdd."""

from harness.suites.scenarios.features import bind

bind(globals(), "callable")
