"""Where people go. A route is the template (`/tickets/{id}`), never the path: a path tells which ticket."""

from __future__ import annotations

from typing import TypedDict

from otel_posthog.events.durations import Duration


class PageViewed(TypedDict, total=False):
    """`page_viewed`: a page was opened.

    Attributes:
        route: The template of the page's route.
        from_route: That of the page before.
        surface: `web`, `mobile`, ...
        load_duration_ms: Until it could be used.
    """

    route: str
    from_route: str
    surface: str
    load_duration_ms: Duration


class TabChanged(TypedDict, total=False):
    """`tab_changed`: another part of a page was opened.

    Attributes:
        route: The template of the page's route.
        tab: The part's name in `snake_case`.
    """

    route: str
    tab: str
