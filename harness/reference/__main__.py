"""`python -m harness.reference`: the reference platform as a process of its own."""

import sys

from harness.reference import main

if __name__ == "__main__":
    sys.exit(main())
