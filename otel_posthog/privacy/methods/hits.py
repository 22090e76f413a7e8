"""What stands in the place of what each detector finds in a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from otel_posthog.policy import HitMethod
from otel_posthog.privacy.methods.ip_prefix import ip_prefix_of_hit
from otel_posthog.privacy.methods.mask import MASK
from otel_posthog.privacy.methods.token import Tokens

AFTER_CHARS = 4
"""How much of what follows a hit a method is shown: enough for `/48` and one character more."""

Replacement = Callable[[str, str], str]
"""`(hit, after) -> text`: what stands for a hit, given what follows it; the hit itself where it may stay."""


@dataclass(frozen=True, slots=True)
class HitMethods:
    """The methods of all detectors under one key.

    Attributes:
        replacements: By detector; one that is not named has its marker put in place of a hit.
        skipped: Detectors that do not look.
        dropping: Detectors whose hit removes the property.
    """

    replacements: Mapping[str, Replacement] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    dropping: frozenset[str] = frozenset()

    def replace(self, detector: str, hit: str, after: str = "") -> str:
        """Return what stands for `hit` of `detector`; `after` is what follows it in the text."""
        method = self.replacements.get(detector)
        return f"[{detector}]" if method is None else method(hit, after)


MARKERS = HitMethods()
"""Every hit is replaced by its detector's marker."""


def hit_methods(methods: Mapping[str, HitMethod], tokens: Tokens | None) -> HitMethods:
    """Return the compiled form of `methods`.

    Args:
        methods: By detector.
        tokens: Makes the tokens of `HMAC`; not None where a detector has that method.
    """
    return HitMethods(
        replacements={
            name: made for name, method in methods.items() if (made := _replacement(name, method, tokens)) is not None
        },
        skipped=frozenset(name for name, method in methods.items() if method is HitMethod.OFF),
        dropping=frozenset(name for name, method in methods.items() if method is HitMethod.DROP),
    )


def _replacement(detector: str, method: HitMethod, tokens: Tokens | None) -> Replacement | None:
    if method is HitMethod.MASK:
        return lambda _hit, _after: MASK
    if method is HitMethod.IP_PREFIX:
        return lambda hit, after: ip_prefix_of_hit(hit, after) or f"[{detector}]"
    if method is HitMethod.HMAC and tokens is not None:
        # The bracket that ends a token may be taken for the end of a list, and not be part of the hit.
        return lambda hit, after: hit if after[:1] == "]" and tokens.is_own(hit + "]") else tokens.token(detector, hit)
    return None
