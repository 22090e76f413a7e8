"""Works in coroutines, in threads and in a pool of threads, each for a user of its own, then prints `done`."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from product import work

from otel_posthog import user_context

EACH = 5


async def coroutine(number: int) -> None:
    """Work for a user, with others in between."""
    with user_context(f"user-{number}"):
        await asyncio.sleep(0.01)
        work(number)
        await asyncio.sleep(0)


async def coroutines() -> None:
    """Run some at once."""
    await asyncio.gather(*(coroutine(number) for number in range(EACH)))


def in_thread(number: int) -> None:
    """Work for a user."""
    with user_context(f"user-{number}"):
        work(number)


def main() -> None:
    """Work 15 times: in coroutines, in threads, in a pool."""
    asyncio.run(coroutines())
    threads = [threading.Thread(target=in_thread, args=(number,)) for number in range(EACH, 2 * EACH)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(in_thread, range(2 * EACH, 3 * EACH)))
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
