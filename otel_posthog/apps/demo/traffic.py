"""Drive the traffic: every customer visits, four at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from otel_posthog.apps.demo.planted import CUSTOMERS, customers
from otel_posthog.apps.demo.tally import Tally
from otel_posthog.apps.demo.visitor import Visitor

CONCURRENCY = 4


def drive(app_url: str, requests: int, seed: int, tally: Tally) -> None:
    """Send `requests` requests to the helpdesk at `app_url` and count in `tally` what they must yield.

    Each customer's requests come in order; which customers are served at the same time is left to the scheduler, so
    that the counts are the same on every run and the interleaving is not.
    """
    share, rest = divmod(requests, CUSTOMERS)
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="visitor") as visitors:
        visits = [
            visitors.submit(Visitor(customer, app_url, tally, seed + index).visit, share + (index < rest))
            for index, customer in enumerate(customers(seed))
        ]
    for visit in visits:
        visit.result()
