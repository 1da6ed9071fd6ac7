"""Which member of a refused request is to blame: the members that have clauses, and bodies without one of them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.contract import load_contracts
from harness.suites.contract.blame import members, without
from harness.suites.contract.links import Links

CALL: dict[str, Any] = {
    "tag": {"data": {"a": "b"}},
    "target": {"extension": {"extension": "801", "overrideTo": "201"}},
    "verbs": [{"say": {"text": ["hello"]}}, {"hangup": {"reason": "call-complete"}}],
}


def test_each_member_is_found_with_its_clause_and_with_what_it_is_the_core_of() -> None:
    contract = load_contracts()["callable"]
    schema = contract.spec.operation("createVoiceCall").request.schemas["application/json"]
    found = {".".join(map(str, one.path)): one for one in members(Links(contract.spec), schema, CALL)}
    assert found["target.extension.overrideTo"].clause == "CA-ExtensionTarget.extension.overrideTo"
    assert found["verbs.1.hangup.reason"].clause == "CA-HangupVerb.hangup.reason"
    assert found["verbs.0.say.text"].is_core_of(("verbs", 0, "say"))
    assert not found["verbs.1.hangup.reason"].is_core_of(("verbs", 1, "hangup"))
    assert not found["tag"].core


@pytest.mark.parametrize(
    ("path", "left"),
    [
        (("tag", "data"), {**CALL, "tag": {}}),
        (("tag",), {name: value for name, value in CALL.items() if name != "tag"}),
        (("verbs", 1, "hangup", "reason"), {**CALL, "verbs": [CALL["verbs"][0], {"hangup": {}}]}),
        (("verbs", 0, "say"), {**CALL, "verbs": [CALL["verbs"][1]]}),
    ],
)
def test_a_member_is_left_out_and_an_item_with_it_that_was_nothing_else(path: Any, left: Any) -> None:
    assert without(CALL, path) == left
    assert without(CALL, ("target",)) != CALL
