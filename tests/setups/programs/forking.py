"""Works in the parent and in two children; argument: how those are started. It prints `done` on its last line."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import Any

from product import work


def child(number: int) -> None:
    """Work once and end as such children do, at once."""
    work(number)


def with_multiprocessing(method: str) -> None:
    """Start the children by `fork`, `spawn` or `forkserver`."""
    context: Any = multiprocessing.get_context(method)
    children = [context.Process(target=child, args=(number,)) for number in (1, 2)]
    for each in children:
        each.start()
    for each in children:
        each.join()


def with_os_fork() -> None:
    """Fork as a daemon does, whose children end by `sys.exit`."""
    for number in (1, 2):
        pid = os.fork()
        if pid == 0:
            child(number)
            sys.exit(0)
        os.waitpid(pid, 0)


def main() -> None:
    """Work, have the children work, work again."""
    work(0)
    if sys.argv[1] == "os.fork":
        with_os_fork()
    else:
        with_multiprocessing(sys.argv[1])
    work(3)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
