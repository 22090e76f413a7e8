"""What stands in the place of a whole value under a key that a rule picks."""

from __future__ import annotations

from collections.abc import Callable

from otel_posthog.model import REDACTED
from otel_posthog.policy import Method, Rule
from otel_posthog.privacy.methods.bucket import bucket
from otel_posthog.privacy.methods.ip_prefix import ip_prefix
from otel_posthog.privacy.methods.mask import mask
from otel_posthog.privacy.methods.token import Tokens

ValueMethod = Callable[[object], "str | None"]
"""`(plain value) -> text`: what stands for a str, bool, int or float; None where the value goes."""


def value_method(rule: Rule, tokens: Tokens | None) -> ValueMethod | None:  # noqa: PLR0911 - one per method
    """Return the compiled method of `rule`; None for `keep` and `truncate`, which leave the value to the detectors.

    Args:
        rule: One that picks whole values.
        tokens: Makes the tokens of `HMAC`; not None where the rule has that method.
    """
    method = rule.method
    if method in {Method.KEEP, Method.TRUNCATE}:
        return None
    if method is Method.REPLACE:
        return lambda _: REDACTED
    if method is Method.MASK:
        return lambda value: mask(_text(value), rule.keep_last)
    if method is Method.BUCKET:
        return lambda value: bucket(value, rule.bounds)
    if method is Method.IP_PREFIX:
        return lambda value: ip_prefix(value) if isinstance(value, str) else None
    if method is Method.HMAC and tokens is not None:
        return lambda value: tokens.token(rule.name, _text(value))
    return lambda _: None


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)
