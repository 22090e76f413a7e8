"""How many of a rule's events are sent: one for each user, session, day or flag, so many a minute.

For the stages, before an event is cleaned: on the worker, at times on the app's threads. Per process, in bounded
memory: what was sent is remembered by a hash, the oldest forgotten first. What comes again with the same uuid is the
same event, of a sender that tries again, and is let through again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b

from otel_posthog.errors import DropEvent
from otel_posthog.feature_flags import KEY, RESPONSE
from otel_posthog.model import Event
from otel_posthog.policy import DeriveRule, OncePer, Policy
from otel_posthog.threads import RLock

MAX_KEYS = 10_000
"""Users, sessions or days of one rule that are remembered."""

MAX_FLAG_CALLS = 50_000
"""Calls of flags that are: a user has one for each flag. posthog-python remembers the flags of so many users."""

_WINDOW_S = 60.0
_NS_A_DAY = 86_400 * 10**9


class Limits:
    """The limits of a policy's derive rules; they may be replaced while the process runs.

    Args:
        policy: Whose rules.
        clock: Monotonic seconds; tests pass their own.
    """

    def __init__(self, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, RLock()
        self._rules: dict[str, _Limit] = {}
        self.follow(policy)

    def follow(self, policy: Policy) -> None:
        """Go by the rules of `policy` from the next event on; what a rule of that name has sent is remembered."""
        before = self._rules
        made: dict[str, _Limit] = {}
        for rule in policy.derive_rules:
            if rule.once_per is not None or rule.max_per_minute is not None:
                made[rule.name] = _Limit(rule, before.get(rule.name))
        self._rules = made

    def reset_after_fork(self) -> None:
        """Have a lock that no thread of the parent holds."""
        self._lock = RLock()

    def holds_for(self, rule_id: str) -> bool:
        """Return whether there is a limit for the events of a rule."""
        return rule_id in self._rules

    def admit(self, rule_id: str, event: Event) -> None:
        """Count `event` as sent.

        Raises:
            DropEvent: `derive_once` or `derive_cap`, where it is one too many.
        """
        limit = self._rules.get(rule_id)
        if limit is not None:
            with self._lock:
                limit.admit(event, self._clock())

    def forget(self, rule_id: str, event: Event) -> None:
        """Take back that `event` is the one that is sent, as it goes nowhere."""
        limit = self._rules.get(rule_id)
        if limit is not None:
            with self._lock:
                limit.forget(event)


class _Limit:
    """The limit of one rule."""

    def __init__(self, rule: DeriveRule, before: _Limit | None) -> None:
        self.once_per, self._most = rule.once_per, rule.max_per_minute
        is_same = before is not None and before.once_per is self.once_per
        self.sent: dict[bytes, str] = before.sent if before is not None and is_same else {}
        self._began_s, self._count = float("-inf"), 0

    def admit(self, event: Event, now_s: float) -> None:
        key = self._key(event)
        if key is not None and self.sent.get(key, event.uuid) != event.uuid:
            raise DropEvent("derive_once")
        if self._most is not None:
            if now_s - self._began_s >= _WINDOW_S:
                self._began_s, self._count = now_s, 0
            if self._count >= self._most:
                raise DropEvent("derive_cap")
            self._count += 1
        if key is not None and key not in self.sent:
            if len(self.sent) >= (MAX_FLAG_CALLS if self.once_per is OncePer.FLAG else MAX_KEYS):
                del self.sent[next(iter(self.sent))]
            self.sent[key] = event.uuid

    def forget(self, event: Event) -> None:
        key = self._key(event)
        if key is not None and self.sent.get(key) == event.uuid:
            del self.sent[key]

    def _key(self, event: Event) -> bytes | None:
        if self.once_per is None:
            return None
        subject = event.subject
        if self.once_per is OncePer.DAY:
            who = str(event.time_ns // _NS_A_DAY)
        elif self.once_per is OncePer.USER:
            who = subject.user_id or subject.pseudonym or ""
        elif self.once_per is OncePer.FLAG:
            who = _flag_call(event)
        else:
            who = subject.session_id or ""
        return blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _flag_call(event: Event) -> str:
    """Return what tells one call of a feature flag from another: who, in which groups, of which flag, with what."""
    subject, properties = event.subject, event.properties
    who = (subject.user_id or subject.pseudonym, sorted(subject.groups.items()))
    return repr((*who, properties.get(KEY), properties.get(RESPONSE)))
