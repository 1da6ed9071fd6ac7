"""Every example body of the public documents is valid under the schema of its operation or callback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from jsonschema.validators import extend

from harness.contract import load_contract
from harness.spec import Schema
from tests.specs.reading import read_apidaze, read_callable
from tests.specs.reading.documents import REPOSITORY, read_document
from tests.specs.reading.facts import Sample
from tests.specs.reading.lookup import find_operation, payloads
from tests.specs.reading.readers import READERS, Reader

SPECS = REPOSITORY / "specs"
PLACEHOLDERS = ("string", " xxxxxxx", "[xxxxxxx]", 0)
_VALUE_KEYWORDS = ("enum", "const", "pattern", "format", "minLength", "minimum", "exclusiveMinimum")


def _unless_placeholder(keyword: str) -> Any:
    judge = jsonschema.Draft202012Validator.VALIDATORS[keyword]

    def check(validator: Any, wanted: Any, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
        if instance not in PLACEHOLDERS or isinstance(instance, bool):
            yield from judge(validator, wanted, instance, schema)

    return check


# A page generator's placeholder has the member's type and no meaningful value.
SampleValidator: Any = extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {keyword: _unless_placeholder(keyword) for keyword in _VALUE_KEYWORDS}
)


def complaint(sample: Sample, schema: Schema) -> str | None:
    """Why a sample is not valid; None when it is. One that leaves something out shows names only."""
    if sample.elided:
        return None
    validator = SampleValidator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    error = jsonschema.exceptions.best_match(validator.iter_errors(sample.value))
    return f"{sample}: {error.json_path}: {error.message}" if error else None


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.document)
def test_every_sample_is_valid_under_its_schema(reader: Reader, record_property: Any) -> None:
    samples = reader.samples()
    contract = load_contract(SPECS / reader.system)
    complaints: list[str] = []
    for sample in samples:
        operation = find_operation(contract, sample.place)
        schemas = payloads(operation, sample.part, sample.media_type) if operation else []
        if not schemas:
            complaints.append(f"{sample}: the spec has no such body")
            continue
        found = [complaint(sample, schema) for schema in schemas]
        if all(found):
            complaints.append(str(found[0]))
    print(
        f"{reader.document}: {len(samples)} samples, {sum(1 for sample in samples if sample.elided)} with something left out"
    )
    record_property("samples", len(samples))
    assert not complaints, "\n".join(complaints)
    assert len(samples) == reader.sample_count


def test_the_sampled_claims_hold_the_roles_of_the_user() -> None:
    _, claims = read_callable.claims(read_document(read_callable.NAME))
    assert isinstance(claims, dict)
    assert all(isinstance(role, str) for role in claims["realm_access"]["roles"])
    text = load_contract(SPECS / "callable").catalogue["CA-token-roles"].text
    assert "realm_access.roles" in text


def test_the_sampled_transport_security_header_is_what_its_clause_says() -> None:
    value = read_apidaze.strict_transport_security(read_document(read_apidaze.PORTAL))
    assert value is not None
    directives = {part.strip().lower() for part in value.split(";")}
    assert directives == {f"max-age={365 * 24 * 3600}", "includesubdomains", "preload"}
    text = load_contract(SPECS / "apidaze").catalogue["AZ-header-strict-transport-security"].text
    assert all(word in text for word in ("year", "subdomains", "preload"))
