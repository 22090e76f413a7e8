"""A process that fills a spool, for the tests that kill it: `spool_worker.py ROOT FIRST COUNT`.

It prints the number of each event once that is on disk, and `done` when all are; then it waits to be killed.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from spooled import event, spool


def main() -> None:
    """Put the events."""
    root, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    store = spool(root)
    for number in range(first, first + count):
        assert store.put(event(number))
        os.write(1, b"%d\n" % number)
    os.write(1, b"done\n")
    time.sleep(60)


if __name__ == "__main__":
    main()
