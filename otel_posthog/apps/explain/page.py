"""Explanations laid out as lines of styled pieces: what both the plain view and the one in color write."""

from __future__ import annotations

from collections.abc import Iterator

from otel_posthog.apps.explain.rows import (
    CHANGED,
    REMOVED,
    SAME,
    Row,
    added,
    kept_rows,
    rows_of,
    rows_without_values,
    unsent_keys,
)
from otel_posthog.apps.explain.wording import Pieces, difference, drop_in_words, listed, rule_in_words, shown
from otel_posthog.inspection.explanation import Explanation, Operational, ProductEvent, Sent, Summary

PLAIN, SOFT, TITLE, PRODUCT, OPERATIONAL, OLD, NEW, BAD = (
    *("plain", "soft", "title", "product", "operational", "old", "new", "bad"),
)
KEY_WIDTH = 24

Piece = tuple[str, str]
"""(text, style)"""
Line = tuple[int, tuple[Piece, ...]]
"""(how far a continuation of the line is indented, its pieces)"""


def item_lines(explanation: Explanation, *, with_values: bool) -> Iterator[Line]:
    """Yield the lines on one item.

    Args:
        explanation: The item.
        with_values: Whether values of the file are shown.
    """
    where = f"{explanation.kind}, line {explanation.line}"
    if explanation.kind != "event" and explanation.name and with_values:
        where = f"{explanation.kind} {shown(explanation.name)}, line {explanation.line}"
    for number, event in enumerate(explanation.events):
        if number:
            yield _line()
        yield from _event_lines(event, where, with_values=with_values)
    for reason in explanation.dropped:
        yield _line(("✗ no event", BAD), ("  ", PLAIN), (drop_in_words(reason), PLAIN), (f"  {where}", SOFT))
    if not explanation.events and not explanation.dropped:
        yield _line(("○ ", OPERATIONAL), (where, PLAIN), (f"  operational: {explanation.reason}", SOFT))
    if explanation.operational:
        yield from _operational_lines(explanation.operational, with_values=with_values)
    yield _line()


def summary_lines(summary: Summary) -> Iterator[Line]:
    """Yield the lines that close the page."""
    items = f"{summary.items:,} item{'s' if summary.items != 1 else ''}"
    yield _line(
        (items, TITLE),
        (f"   product events {summary.events:,}", PRODUCT),
        (f"   operational only {summary.operational:,}", OPERATIONAL),
    )
    names = dict.fromkeys([*summary.sent, *(name for name, _ in summary.dropped)])
    for name in names:
        drops = [(reason, count) for (to, reason), count in summary.dropped.items() if to == name]
        text = "".join(f"   {count:,} dropped: {drop_in_words(reason)}" for reason, count in drops)
        yield _line((f"  to {name}", PLAIN), (f"   {summary.sent[name]:,}", NEW), (text, BAD))
    for reason, count in summary.invalid.items():
        yield _line((f"  {count:,} no event: {drop_in_words(reason)}", BAD))
    if summary.actions:
        rules = [f"{rule_in_words(rule)} {count:,} {action}" for (rule, action), count in summary.actions.most_common()]
        yield 2, ((f"  {listed(rules)}", SOFT),)
    if summary.policy:
        yield _line((f"  under the policy {summary.policy}", SOFT))


def _event_lines(event: ProductEvent, where: str, *, with_values: bool) -> Iterator[Line]:
    name = shown(event.name) if with_values else _clean_name(event)
    yield _line(("● ", PRODUCT), (name, f"{TITLE} {PRODUCT}"), (f"   {where}: {event.reason}", SOFT))
    for note in event.notes:
        yield _line((f"  {note.replace('_', ' ')}", BAD))
    for sent in event.sent:
        yield from _sent_lines(event, sent, with_values=with_values)


def _clean_name(event: ProductEvent) -> str:
    """Return the name as PostHog gets it; the one that the app gave may hold anything."""
    return next((shown(sent.event["event"]) for sent in event.sent if sent.event), "product event")


def _sent_lines(event: ProductEvent, sent: Sent, *, with_values: bool) -> Iterator[Line]:
    if sent.event is None:
        yield _line((f"  ✗ {sent.destination}", BAD), (f"  gets nothing: {drop_in_words(sent.dropped)}", PLAIN))
        return
    yield _line((f"  → {sent.destination}", PRODUCT), (f"   {sent.identity}", SOFT))
    for row in rows_of(event, sent) if with_values else rows_without_values(sent):
        yield from _row_lines(row, with_values=with_values)
    extra = added(event, sent) if with_values else {}
    if extra:
        yield _wide("added", listed(f"{shown(key)} {shown(value)}" for key, value in extra.items()), SOFT)
    unsent = unsent_keys(sent)
    if unsent:
        yield _wide("not on the allow-list", listed(unsent), SOFT)


def _operational_lines(side: Operational, *, with_values: bool) -> Iterator[Line]:
    if side.withheld:
        yield _line(("  → operational side", OPERATIONAL), (f"   nothing: {side.withheld}", SOFT))
        return
    rows = kept_rows(side.parts, with_values=with_values)
    same = sum(row.state == SAME for row in rows)
    yield _line(("  → operational side", OPERATIONAL), (f"   {same} of {len(rows)} parts as they are", SOFT))
    for row in rows:
        if row.state == CHANGED:
            yield from _row_lines(row, with_values=with_values)
    gone = [row.key for row in rows if row.state == REMOVED]
    if gone:
        yield _wide("taken off", listed(gone), SOFT)


def _row_lines(row: Row, *, with_values: bool) -> Iterator[Line]:
    why = (f"   {row.why}", SOFT) if row.why else ("", PLAIN)
    key = (f"    {row.key:<{KEY_WIDTH}}  ", SOFT)
    indent = len(key[0])
    if not with_values:
        yield indent, (key, (row.state, {SAME: PLAIN, CHANGED: NEW, REMOVED: OLD}[row.state]), why)
    elif row.state == SAME:
        yield indent, (key, (row.after or row.before, PLAIN), why)
    elif row.state == REMOVED:
        yield indent, (key, (row.before, OLD), ("   removed", SOFT), why)
    else:
        old, new = difference(row.before, row.after)
        yield indent, (key, *_styled(old, OLD))
        yield indent, ((" " * (indent - 2) + "→ ", SOFT), *_styled(new, NEW), why)


def _styled(pieces: Pieces, style: str) -> Iterator[Piece]:
    return ((text, style if is_new else PLAIN) for text, is_new in pieces)


def _wide(key: str, text: str, style: str) -> Line:
    label = f"    {key:<{KEY_WIDTH}}  "
    return len(label), ((label, SOFT), (text, style))


def _line(*pieces: Piece) -> Line:
    return 4, pieces
