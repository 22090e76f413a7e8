"""Collection: when anything is collected at all, and what becomes of recorded exceptions.

`policy/collection.py` decides by the first, together with the environment; recogniser and translation ask the second.
"""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.policy.fields import Choice, setting
from otel_posthog.policy.section import Section


@dataclass(slots=True, repr=False, eq=False)
class CollectionPolicy(Section):
    """When anything is collected at all."""

    off_switches: tuple[str, ...] = setting(
        (),
        "Names of environment variables of the app's own that switch collection off when false.",
    )
    heed_dnt: bool = setting(True, "True takes a request's header `DNT: 1` for a denial, as `Sec-GPC: 1` always is.")
    consent_required: bool = setting(
        False,
        "True sends only events whose consent is known to be given; False sends unless it is denied.",
    )
    bridge: bool = setting(
        False,
        "True takes what the app sends with posthog-python through this pipeline instead; False leaves that alone. "
        "`OTEL_POSTHOG_BRIDGE` wins. Switched on at the start of a process only.",
    )


class ExceptionMode(Choice):
    """What a `$exception` event says of an exception; never its message, local variables or source text."""

    OFF = "off", "nothing, there is no such event."
    TYPE = "type", "the name of its type."
    FRAMES = "frames", "also module, function and line of the app's own code, and the exceptions it was raised from."


class ExceptionItems(Choice):
    """Which exceptions are sent."""

    PRODUCT = "product", "those recorded on spans and logs that are product events."
    ALL = "all", "those recorded on any span or log."


@dataclass(slots=True, repr=False, eq=False)
class ExceptionPolicy(Section):
    """What becomes of recorded exceptions (span events named `exception`, logs with `exception.type`)."""

    mode: ExceptionMode = setting(ExceptionMode.TYPE, "How much of one is sent.")
    recorded_on: ExceptionItems = setting(
        ExceptionItems.PRODUCT,
        "Which are sent. An exception that passes through nested spans is recorded on each of them, so that `all` "
        "counts it more than once.",
    )

    def takes(self, *, is_product: bool) -> bool:
        """Return whether an exception becomes an event, by whether what it was recorded on is a product item."""
        return self.mode is not ExceptionMode.OFF and (is_product or self.recorded_on is ExceptionItems.ALL)
