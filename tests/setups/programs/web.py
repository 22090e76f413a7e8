"""A web app in both of Python's ways, WSGI and ASGI: each request works with the number in its query."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from product import work

application = FastAPI()


@application.get("/")
async def page(n: int) -> dict[str, int]:
    """Work, and say in which process."""
    work(n)
    return {"pid": os.getpid()}


def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Work, and say in which process."""
    work(int(environ["QUERY_STRING"].removeprefix("n=")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b'{"pid": %d}' % os.getpid()]
