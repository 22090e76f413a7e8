"""What feature flags said in a request, or where there is none in a span and all that is inside it.

Kept with the request's record, or the span's scope, as they are evaluated; later events of the same context tell it.
Runs on any thread of the app.
"""

from __future__ import annotations

from otel_posthog.actor.scope import Scope
from otel_posthog.model import Flag

MAX_FLAGS = 100
"""Of one request, or of one span: answers for a user of a flag; the oldest goes for a new one."""


def keep_flag(scope: Scope, flag: Flag) -> None:
    """Keep what a flag said where `scope` is."""
    # Neither writes under a lock: each of these steps is one of the interpreter's.
    kept: dict[tuple[str, str | None], Flag] = vars(scope.record or scope).setdefault("flags", {})
    which = (flag.key, flag.user_id)
    if which not in kept and len(kept) >= MAX_FLAGS:
        kept.pop(next(iter(tuple(kept))), None)
    kept[which] = flag


def flags_of(scope: Scope | None) -> tuple[Flag, ...]:
    """Return what flags have said where `scope` is, the nearest last."""
    if scope is None:
        return ()
    if scope.record is not None:
        return tuple(vars(scope.record).get("flags", {}).values())
    found: list[Flag] = []
    around: Scope | None = scope
    while around is not None:
        found[:0] = vars(around).get("flags", {}).values()
        around = around.parent
    return tuple(found)
