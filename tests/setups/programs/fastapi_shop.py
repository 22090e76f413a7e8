"""A FastAPI app as people write them, with no word of who acts: log-in by a cookie, and a task for a Celery worker."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request
from starlette.concurrency import run_in_threadpool

import otel_posthog

app = FastAPI()


@app.middleware("http")
async def log_in(request: Request, call_next: Any) -> Any:
    """Know the user by a cookie."""
    user = request.cookies.get("user")
    if user:
        request.state.user = SimpleNamespace(id=user)
    return await call_next(request)


def made(name: str, n: int) -> None:
    """Make an event."""
    otel_posthog.capture(name, {"n": n})


@app.get("/")
async def page(n: int, tasks: BackgroundTasks) -> dict[str, int]:
    """Make events in the loop, in a thread and after the response."""
    made("seen", n)
    await asyncio.sleep(0.01)
    await run_in_threadpool(made, "pooled", n)
    tasks.add_task(made, "afterwards", n)
    return {"pid": os.getpid()}


@app.get("/threaded")
def threaded(n: int) -> dict[str, int]:
    """Make an event in a thread."""
    made("threaded", n)
    return {"pid": os.getpid()}
