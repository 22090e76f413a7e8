"""Exceptions: whether, of what, and how much of one becomes an event of PostHog's error tracking."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ExceptionMode(str, Enum):
    """What a `$exception` event tells of an exception; never its message, local variables or source text.

    `OFF`: nothing, there is no such event.
    `TYPE`: the name of its type.
    `FRAMES`: also module, function and line of the app's own code, and the exceptions it was raised from.
    """

    OFF = "off"
    TYPE = "type"
    FRAMES = "frames"


class ExceptionItems(str, Enum):
    """Whose exceptions are sent.

    `PRODUCT`: those recorded on spans and logs that are product events.
    `ALL`: those recorded on any span or log.
    """

    PRODUCT = "product"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ExceptionPolicy:
    """What becomes of recorded exceptions (span events named `exception`, logs with `exception.type`).

    Attributes:
        mode: What is told of one.
        recorded_on: Whose are sent. An exception that passes through nested spans is recorded on each of them, so
            that `all` counts it more than once.
    """

    mode: ExceptionMode = ExceptionMode.TYPE
    recorded_on: ExceptionItems = ExceptionItems.PRODUCT

    def takes(self, *, is_product: bool) -> bool:
        """Return whether an exception becomes an event, by whether what it was recorded on is a product item."""
        return self.mode is not ExceptionMode.OFF and (is_product or self.recorded_on is ExceptionItems.ALL)
