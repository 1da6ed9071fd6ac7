"""Finds the public documents for the tests that hold the specs against them; it knows where they stand, not what they say.

They are no part of the project. Where they are missing such a test is skipped and says so, unless the environment insists
with RINGTRUE_REQUIRE_DOCUMENTS=1.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
FOLDER = REPOSITORY.parent / "shared" / "documents"
DOCUMENTS = {
    "apidaze-api-store.txt": "apidaze",
    "apidaze-developer-portal.txt": "apidaze",
    "callable-rest-api.txt": "callable",
    "vtx-voip-openapi.txt": "vtx",
    "mediaservice-api.txt": "mediaservice",
}


def read_document(name: str) -> str:
    """The text of a document; skips, or fails, the running test where it is missing."""
    path = FOLDER / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    reason = f"{name} is missing: expected in shared/documents beside the repository"
    if os.environ.get("RINGTRUE_REQUIRE_DOCUMENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
