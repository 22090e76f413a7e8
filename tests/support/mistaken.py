"""A program that ends soon: events under names that are none, and one that the mode `anonymous` does not send.

Arguments: the host, and how it ends (`exit`, `os_exit`, `child` of `multiprocessing`).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys

from opentelemetry._logs import set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider

import otel_posthog


def act() -> None:
    """Make two mistakes, and one that is none."""
    otel_posthog.capture(None)  # type: ignore[arg-type]
    otel_posthog.capture(7)  # type: ignore[arg-type]
    otel_posthog.identify("u-4711", {"plan": "pro"})


def main() -> None:
    """Set up, act here or in a child, end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    set_logger_provider(LoggerProvider(shutdown_on_exit=False))
    otel_posthog.configure(api_key="phc_test", host=sys.argv[1])
    if sys.argv[2] == "child":
        child = multiprocessing.get_context("fork").Process(target=act)
        child.start()
        child.join()
        return
    act()
    if sys.argv[2] == "os_exit":
        os._exit(0)


if __name__ == "__main__":
    main()
