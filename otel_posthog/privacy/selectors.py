"""Selectors: which keys each rule of a policy picks, and the method it then applies, compiled.

Globs are matched by searching for their fixed parts one after the other: linear in the key for each part, without a
regular expression that an unlucky pattern could make slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from otel_posthog.policy import HitMethod, Method, Rule
from otel_posthog.privacy.keys import KeyRules
from otel_posthog.privacy.methods import HitMethods, Tokens, ValueMethod, hit_methods, value_method


@dataclass(frozen=True, slots=True)
class ValueRule:
    """What is done with the values of a key.

    Attributes:
        name: What receipts call the rule.
        method: As the policy says.
        apply: Makes what stands for a value; None where the value is left to the detectors.
        max_chars: For `truncate`.
    """

    name: str
    method: Method
    apply: ValueMethod | None
    max_chars: int


class Selectors:
    """The rules of one policy.

    Args:
        rules: In the order in which they are asked.
        default: The methods of the detectors where no rule says otherwise.
        tokens: Makes the tokens of `hmac`.

    Attributes:
        picks_inner: Whether some rule picks keys by those above them.
    """

    def __init__(self, rules: Sequence[Rule], default: HitMethods, tokens: Tokens | None) -> None:
        self._default = default
        self._values = [(_Selector(each), _value_rule(each, tokens)) for each in rules if each.detector is None]
        self._hits = [
            (_Selector(each), each.detector, _hits_of(each, each.detector, tokens))
            for each in rules
            if each.detector is not None
        ]

        selectors = [each[0] for each in self._values] + [each[0] for each in self._hits]
        self.picks_inner = any(each.picks_inner for each in selectors)

    def value_rule(self, key: str, path: str = "") -> ValueRule | None:
        """Return the first rule that picks the values of `key` whole.

        Args:
            key: The key.
            path: The same with the keys above it, joined by dots; empty where there are none.
        """
        return next((rule for selector, rule in self._values if selector.picks(key, path)), None)

    def hit_methods(self, key: str, path: str = "") -> HitMethods:
        """Return the detectors' methods under `key`, which stands at `path`."""
        made, decided = self._default, set[str]()
        for selector, detector, changed in self._hits:
            if detector not in decided and selector.picks(key, path):
                decided.add(detector)
                made = _merged(made, detector, changed)
        return made


class _Selector:
    def __init__(self, rule: Rule) -> None:
        # `form.iq` picks `{"form": {"iq": ...}}` as it does the key `form.iq`, however either is capitalised.
        self._globs = [each.lower().split("*") for each in rule.keys]
        self.picks_inner = any("." in part for parts in self._globs for part in parts)
        self._words = KeyRules(rule.words) if rule.words else None

    def picks(self, key: str, path: str) -> bool:
        """Return whether the rule is meant for `key`; one without keys and words is for all."""
        if not self._globs and self._words is None:
            return True
        for name in (key.lower(), path.lower()) if path else (key.lower(),):
            if any(_matches(parts, name) for parts in self._globs):
                return True
        return self._words is not None and self._words.facts(key).sensitive


def _matches(parts: list[str], key: str) -> bool:
    """Return whether `key` is a text that begins with the first part, ends with the last, with the others between."""
    first, *middle, last = parts if len(parts) > 1 else (parts[0], "")
    if len(parts) == 1:
        return key == first
    if not key.startswith(first) or not key.endswith(last) or len(key) < len(first) + len(last):
        return False
    at, end = len(first), len(key) - len(last)
    for part in middle:
        found = key.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _value_rule(rule: Rule, tokens: Tokens | None) -> ValueRule:
    return ValueRule(rule.name, rule.method, value_method(rule, tokens), rule.max_chars)


def _hits_of(rule: Rule, detector: str, tokens: Tokens | None) -> HitMethods:
    method = HitMethod.OFF if rule.method is Method.KEEP else HitMethod(rule.method.value)
    return hit_methods({detector: method}, tokens)


def _merged(base: HitMethods, detector: str, changed: HitMethods) -> HitMethods:
    """Return `base` with everything about `detector` taken from `changed`."""
    others = {name: made for name, made in base.replacements.items() if name != detector}
    return replace(
        base,
        replacements={**others, **changed.replacements},
        skipped=(base.skipped - {detector}) | changed.skipped,
        dropping=(base.dropping - {detector}) | changed.dropping,
    )
