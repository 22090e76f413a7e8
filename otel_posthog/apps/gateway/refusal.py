"""A request that is not taken."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """Why, and what to do about it; never a value of the request.

    Args:
        status: Of HTTP. Senders of OTLP come again after 429, 502, 503 and 504, and after no other:
            https://opentelemetry.io/docs/specs/otlp/#failures-1.
        message: For the sender's log.
        retry_after_s: After how many seconds to come again.
    """

    def __init__(self, status: int, message: str, *, retry_after_s: int | None = None) -> None:
        self.status, self.message, self.retry_after_s = status, message, retry_after_s
        super().__init__(message)
