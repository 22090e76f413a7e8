"""Jobs for RQ: its worker forks for each, and the child ends by `os._exit`."""

from __future__ import annotations

from product import work


def job(number: int) -> None:
    """Work with a number."""
    work(number)
