"""The body of an HTTP request, received within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from otel_posthog.apps.gateway.budget import Share
from otel_posthog.apps.gateway.inflate import too_large
from otel_posthog.apps.gateway.refusal import Refusal


async def receive(
    chunks: AsyncIterator[bytes], declared_bytes: int | None, *, max_bytes: int, timeout_s: float, share: Share
) -> bytes:
    """Return a request's body as it was sent.

    Args:
        chunks: Of the body.
        declared_bytes: What `Content-Length` says.
        max_bytes: The longest that is taken.
        timeout_s: How long it may take to arrive.
        share: What it is taken out of.

    Raises:
        Refusal: It is too long, too slow, or there are too many others.
    """
    if declared_bytes is not None and declared_bytes > max_bytes:
        raise too_large("body", max_bytes)
    received = bytearray()
    try:
        await asyncio.wait_for(_collect(chunks, received, max_bytes, share), timeout_s)
    except asyncio.TimeoutError:
        raise Refusal(408, f"the body did not arrive within {timeout_s:g} s") from None
    return bytes(received)


async def _collect(chunks: AsyncIterator[bytes], received: bytearray, max_bytes: int, share: Share) -> None:
    async for chunk in chunks:
        if len(received) + len(chunk) > max_bytes:
            raise too_large("body", max_bytes)
        share.take(len(chunk))
        received += chunk
