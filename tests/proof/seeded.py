"""Trials of faults that break the platform itself, which the catalogue has none of; prints what each came to, as JSON.

python -m tests.proof.seeded
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import Any

from harness.proof.pool import Pool
from harness.proof.trial import Trial
from harness.reference.faults import FAULTS, Fault

_TEST = "test_an_unknown_sip_account_is_not_found[updateSipAccount]"


def _crash(apidaze: Any) -> None:
    apidaze.api.unknown_item = lambda _kind: os._exit(3)


def _hang(apidaze: Any) -> None:
    apidaze.api.unknown_item = lambda _kind: time.sleep(600)


def main() -> None:
    with Pool(3) as pool:
        pool.submit("healthy", Trial("apidaze", tests=(_TEST,)))
        for name, apply, seconds in (("crash", _crash, 60.0), ("hang", _hang, 4.0)):
            FAULTS[name] = Fault(name, "apidaze", "AZ-account-unknown-not-served", "for tests", apply)
            pool.submit(name, Trial("apidaze", (name,), (_TEST,), seconds))
        results = {}
        while pool.busy:
            key, result = pool.wait()
            results[str(key)] = asdict(result)
        print(json.dumps(results))


if __name__ == "__main__":
    main()
