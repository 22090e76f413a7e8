"""What is used of a product. A search tells its length and what it found, never what was looked for."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class FeatureUsed(TypedDict, total=False):
    """`feature_used`: a feature was used.

    Attributes:
        feature: Its name in `snake_case`.
        surface: `web`, `mobile`, `api`, `cli`.
        is_first_use: Whether it is this user's first time.
        duration_ms: How long it took.
    """

    feature: str
    surface: str
    is_first_use: bool
    duration_ms: Duration


class SearchPerformed(TypedDict, total=False):
    """`search_performed`: something was looked for.

    Attributes:
        scope: What was searched: `tickets`, `customers`, `all`.
        query_length: Characters of the query.
        word_count: Words of the query.
        filter_count: Filters that were set.
        result_count: What was found.
        duration_ms: How long it took.
    """

    scope: str
    query_length: int
    word_count: int
    filter_count: int
    result_count: int
    duration_ms: Duration


class SearchResultOpened(TypedDict, total=False):
    """`search_result_opened`: a result was opened.

    Attributes:
        scope: What was searched.
        position: Of the result, from 1.
        result_count: How many there were.
    """

    scope: str
    position: int
    result_count: int
