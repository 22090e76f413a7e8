"""Judge a run: what the package promises, one check each, in words that say what was seen."""

from __future__ import annotations

from dataclasses import dataclass

from otel_posthog.apps.demo.figures import Figures


@dataclass(frozen=True, slots=True)
class Check:
    """One promise.

    Attributes:
        held: Whether it held; None where the demo cannot know.
        text: What was seen.
    """

    held: bool | None
    text: str


def checks(figures: Figures, requests: int, *, unprotected: bool = False) -> tuple[Check, ...]:
    """Return all checks of a finished run.

    Args:
        figures: Of its end.
        requests: How many were to be sent.
        unprotected: Whether it was one without this package.
    """
    return (
        _traffic(figures, requests),
        _delivery(figures, unprotected=unprotected),
        _privacy("PostHog", figures.planted_values, figures.planted_values_seen_by_posthog),
        _privacy("OTLP", figures.planted_values, figures.planted_values_seen_by_otlp),
        _separation(figures),
    )


def passed(made: tuple[Check, ...]) -> bool:
    """Return whether nothing that could be checked failed."""
    return all(check.held is not False for check in made)


def _traffic(figures: Figures, requests: int) -> Check:
    text = f"the helpdesk answered {figures.requests:,} of {requests:,} requests"
    if not figures.surprises:
        return Check(figures.requests == requests, text)
    return Check(False, f"{text}, {len(figures.surprises)} not as expected, e.g. {figures.surprises[0]}")


def _delivery(figures: Figures, *, unprotected: bool) -> Check:
    expected, delivered = figures.product_events_expected, figures.product_events_delivered
    if delivered is None:
        return Check(None, f"{expected:,} product events must be in your PostHog project now")
    held = delivered == expected and not figures.duplicates and figures.delivered_by_name == figures.expected_by_name
    twice = figures.duplicates or "none"
    if not delivered:
        why = ", as nothing sends them" if unprotected else ": is collection switched off?"
        return Check(held, f"none of {expected:,} product events reached PostHog{why}")
    return Check(held, f"{delivered:,} of {expected:,} product events reached PostHog, {twice} of them twice")


def _privacy(side: str, planted: int, seen: int | None) -> Check:
    if seen is None:
        return Check(None, f"{planted} planted personal values: look for them at your {side} side")
    return Check(seen == 0, f"{seen or 'none'} of {planted} planted personal values reached {side}")


def _separation(figures: Figures) -> Check:
    items = figures.operational_items_with_product_attributes
    if items is None:
        return Check(None, "product attributes: look for `analytics.` at your OTLP side")
    return Check(items == 0, f"{items or 'no'} operational span, log or metric carries product attributes")
