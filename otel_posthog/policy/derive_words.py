"""Words of `derive`, and the rules that they stand for under the options of a policy.

An entry of `derive` is a rule of the policy's own, or a word for rows of `shipped_rules.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from otel_posthog.policy.fields import FrozenMap
from otel_posthog.policy.sections.derive import DeriveOptions, DeriveRule
from otel_posthog.policy.shipped_rules import SHIPPED, Shipped


def rows_of(word: str) -> Iterator[Shipped]:
    """Yield the rows that `word` stands for, by group, name or event; none where it is no such word."""
    return (each for each in SHIPPED if word in {each.group, each.name, each.event.removeprefix("$")})


def rule_of(row: Shipped, options: DeriveOptions) -> DeriveRule | None:
    """Return the rule of a row under a policy's options; None where the row has none."""
    if row.when is None:
        return None
    slow_ms = None if row.slow_ms is None else row.slow_ms(options)
    return DeriveRule(
        row.name,
        row.event,
        row.when(options),
        FrozenMap(row.properties),
        user=row.user,
        slow_ms=slow_ms,
        once_per=row.once_per,
    )


def rules_in_force(entries: Iterable[DeriveRule | str], options: DeriveOptions) -> tuple[DeriveRule, ...]:
    """Return the rules that the entries of `derive` stand for, each once; a policy's own wins by its name."""
    given = tuple(entries)
    own = {each.name for each in given if isinstance(each, DeriveRule)}
    made: dict[str, DeriveRule] = {}
    for entry in given:
        if isinstance(entry, DeriveRule):
            made[entry.name] = entry
            continue
        for row in rows_of(entry):
            is_there = not own.isdisjoint({row.name, row.event.removeprefix("$")}) or row.name in made
            rule = None if is_there else rule_of(row, options)
            if rule is not None:
                made[row.name] = rule
    return tuple(made.values())


def is_on(word: str, entries: Iterable[DeriveRule | str]) -> bool:
    """Return whether the entries of `derive` have `word` on: by itself, or by its group."""
    words = [each for each in entries if isinstance(each, str)]
    return word in words or any(row.name == word for each in words for row in rows_of(each))
