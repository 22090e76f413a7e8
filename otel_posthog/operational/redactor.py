"""Takes out of operational telemetry what is not for its readers.

Comes in: attributes and texts of spans, logs, metrics and resources. Goes out: the same objects where there is nothing
to take out, else copies with product attributes and user ids removed and what the detectors find replaced. Runs on the
exporters' threads. It never changes an item in place: others hold it too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_posthog.errors import Guard
from otel_posthog.harmless import MAX_CHARS, Harmless
from otel_posthog.model import GONE, PROCESSED, REDACTED, Attributes, Scrubber
from otel_posthog.policy import OperationalPolicy
from otel_posthog.recogniser import PREFIX
from otel_posthog.sdk import item_attributes

# A process has a resource for each fork that changed it and a scope for each library.
_MAX_REMEMBERED = 1000

_PLAIN = frozenset({str, bool, int, float, bytes, type(None)})
# More than a policy can have the detectors look at: what is deeper is replaced by them anyway.
_MAX_DEPTH = 100

_ALONE: Mapping[str, Any] = MappingProxyType({})

_T = TypeVar("_T")


class Redactor:
    """The filter of the operational side.

    Args:
        policy: Which keys name a user, and whether the detectors run.
        scrubber: The detectors.
        guard: Counts what goes wrong; a value that a detector failed on is replaced whole.
    """

    def __init__(self, policy: OperationalPolicy, scrubber: Scrubber, guard: Guard) -> None:
        self._guard = guard
        self._policy, self._scrubber = policy, scrubber
        self._rules = _Rules(policy, scrubber, guard)
        self._views: list[_View] = []

    def replace(self, policy: OperationalPolicy, scrubber: Scrubber) -> None:
        """Go on with another policy; what was remembered under the one before is forgotten with it."""
        self._policy, self._scrubber = policy, scrubber
        self._rules = _Rules(policy, scrubber, self._guard)
        for each in self._views:
            each.follow(policy, scrubber, self._rules)

    def for_exporter(self, exporter: object) -> Redactor:
        """Return the filter in front of one exporter, to which the policy may leave some keys."""
        view = _View(type(exporter), self._policy, self._scrubber, self._guard)
        view.follow(self._policy, self._scrubber, self._rules)
        self._views.append(view)
        return view

    def attributes(self, attributes: Mapping[str, Any] | None) -> Attributes:
        """Return `attributes`, the same object where nothing had to go."""
        return self._rules.attributes(attributes)

    def value(self, key: str, value: object) -> object:
        """Return `value`, the same object where nothing had to go; `GONE` where all of it had, and it is no text."""
        return self._rules.value(key, value)

    def text(self, text: str) -> str:
        """Return `text`, the same object where nothing had to go."""
        return self._rules.text(text)

    def keeps_state(self, key: str, value: str) -> bool:
        """Return whether an entry of a trace's state may stay: neither half of it tells of somebody."""
        return self._rules.keeps_state(key, value)

    def resource(self, resource: Resource) -> Resource:
        """Return `resource` redacted."""
        return self._rules.resource(resource)

    def marked_resource(self, resource: Resource) -> Resource:
        """Return `resource` redacted, with the mark that what it is of has been through here."""
        return self._rules.marked_resource(resource)

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """Return `scope` redacted."""
        return self._rules.scope(scope)


class _View(Redactor):
    """What is in front of one exporter; it has all in common with the others, unless the policy names its class."""

    def __init__(self, kind: type, policy: OperationalPolicy, scrubber: Scrubber, guard: Guard) -> None:
        super().__init__(policy, scrubber, guard)
        self._names = (kind.__name__, f"{kind.__module__}.{kind.__qualname__}")

    def follow(self, policy: OperationalPolicy, scrubber: Scrubber, common: _Rules) -> None:
        """Go on with what is in force now."""
        left = frozenset[str]().union(*(policy.exporter_keys.get(each, ()) for each in self._names))
        self._rules = _Rules(policy, scrubber, self._guard, left) if left else common


class _Rules:
    """One policy of the operational side, and what is remembered under it."""

    def __init__(
        self, policy: OperationalPolicy, scrubber: Scrubber, guard: Guard, left: frozenset[str] = frozenset()
    ) -> None:
        self._policy, self._scrubber, self._guard = policy, scrubber, guard
        # Whatever an operator writes: what is for PostHog goes nowhere else.
        self._left = frozenset(each for each in left if not each.startswith(PREFIX))
        self._prefixes = (PREFIX, *policy.user_key_prefixes)
        harmless = Harmless()
        self._harmless, self._remember = harmless.values, harmless.remember
        # Those that stay whatever the value is.
        self._kept_keys: set[str] = set()
        self._resources: _Answers[Resource] = _Answers()
        self._marked_resources: _Answers[Resource] = _Answers()
        self._scopes: _Answers[InstrumentationScope] = _Answers()

    def attributes(self, attributes: Mapping[str, Any] | None) -> Attributes:
        """Return `attributes`, the same object where nothing had to go."""
        given = item_attributes(attributes)
        paths = self._paths(given)
        # Most texts come again and again, and a call for each would cost an item more than all else here.
        keys, harmless = self._kept_keys, self._harmless
        unknown = [
            (key, value)
            for key, value in given.items()
            if type(value) is not str or type(key) is not str or key not in keys or (key, value) not in harmless
        ]
        changes: dict[str, object] = {}
        for key, value in given.items() if paths else unknown:
            if key in self._left:
                continue
            if self._is_withheld(key, value):
                changes[key] = GONE
                continue
            clean = self.value(key, paths.get(key, value) if paths else value, given)
            if clean is not value:
                changes[key] = clean
        if not changes:
            return given
        kept = ((key, changes.get(key, value)) for key, value in given.items())
        return {key: value for key, value in kept if value is not GONE}

    def value(self, key: str, value: object, among: Mapping[str, Any] = _ALONE) -> object:
        """Return `value`, the same object where nothing had to go; `GONE` where all of it had, and it is no text."""
        if type(value) not in _PLAIN:
            try:
                value = self._without_users(value, 0)
            except Exception as error:
                self._guard.caught("redact_value", error)
                return GONE
        if not self._policy.redact or value is None or value is GONE:
            return value
        if type(value) is str and (key, value) in self._harmless:
            return value
        try:
            clean = self._scrubber.scrub_value(key, value, among)
        except Exception as error:
            self._guard.caught("redact_value", error)
            return _in_place_of(value)
        if clean is value and isinstance(value, str) and not self._scrubber.depends(key):
            self._remember(key, value)
        return clean

    def _without_users(self, value: object, depth: int) -> object:
        """Return a map or list with what keys of users hold replaced, at any depth; the same object where none is."""
        if depth > _MAX_DEPTH:
            return _in_place_of(value)
        if isinstance(value, Mapping):
            left = {
                key: _in_place_of(each) if self._is_users(key) else self._without_users(each, depth + 1)
                for key, each in value.items()
            }
            if all(left[key] is each for key, each in value.items()):
                return value
            return {key: each for key, each in left.items() if each is not GONE}
        if isinstance(value, (list, tuple)):
            items = [self._without_users(each, depth + 1) for each in value]
            if all(one is other for one, other in zip(items, value, strict=True)):
                return value
            items = [each for each in items if each is not GONE]
            return items if isinstance(value, list) else tuple(items)
        return value

    def _is_users(self, key: object) -> bool:
        return isinstance(key, str) and (
            key in self._policy.user_keys or key.startswith(tuple(self._policy.user_key_prefixes))
        )

    def text(self, text: str) -> str:
        """Return `text`, the same object where nothing had to go."""
        if not self._policy.redact:
            return text
        try:
            return self._scrubber.scrub_text(text)
        except Exception as error:
            self._guard.caught("redact_text", error)
            return REDACTED

    def keeps_state(self, key: str, value: str) -> bool:
        """Return whether an entry of a trace's state may stay."""
        return not self._is_withheld(key, value) and self.text(value) is value and self.value(key, value) is value

    def resource(self, resource: Resource) -> Resource:
        """Return `resource` redacted."""
        return self._resources.get(resource, self._redacted_resource)

    def marked_resource(self, resource: Resource) -> Resource:
        """Return `resource` redacted and marked."""
        return self._marked_resources.get(resource, self._marked_resource)

    def scope(self, scope: InstrumentationScope | None) -> InstrumentationScope | None:
        """Return `scope` redacted."""
        return None if scope is None else self._scopes.get(scope, self._redacted_scope)

    def _redacted_resource(self, resource: Resource) -> Resource:
        given = item_attributes(resource.attributes)
        attributes, schema_url = self.attributes(given), self.text(resource.schema_url or "")
        if attributes is given and schema_url == (resource.schema_url or ""):
            return resource
        return Resource(dict(attributes), schema_url)  # type: ignore[arg-type]

    def _marked_resource(self, resource: Resource) -> Resource:
        clean = self.resource(resource)
        return Resource({**clean.attributes, PROCESSED: True}, clean.schema_url)

    def _redacted_scope(self, scope: InstrumentationScope) -> InstrumentationScope:
        given = item_attributes(scope.attributes)
        told = (scope.name, scope.version, scope.schema_url)
        name, version, schema_url = clean = tuple(text and self.text(text) for text in told)
        attributes = self.attributes(given)
        if clean == told and attributes is given:
            return scope
        return InstrumentationScope(name or "", version, schema_url, dict(attributes))  # type: ignore[arg-type]

    def _paths(self, attributes: Mapping[str, Any]) -> Mapping[str, str]:
        """Return what stands for paths whose route says that a part names a user; almost always none."""
        if not self._policy.redact:
            return _ALONE
        try:
            return self._scrubber.paths(attributes)
        except Exception as error:
            self._guard.caught("redact_paths", error)
            return dict.fromkeys(attributes, REDACTED)

    def _is_withheld(self, key: str, value: object) -> bool:
        if key.startswith(self._prefixes) or key in self._policy.user_keys:
            return True
        if key in self._kept_keys:
            return False
        # A key that itself holds personal data cannot be kept under another name: two of them might collide.
        if self.text(key) is not key:
            return True
        try:
            if self._scrubber.names_id(key):
                # A count or a kind of ids stays.
                return self._scrubber.scrub_value(key, value, _ALONE) is not value
        except Exception as error:
            self._guard.caught("redact_value", error)
            return True
        if len(key) <= MAX_CHARS:
            if len(self._kept_keys) >= _MAX_REMEMBERED:
                self._kept_keys.clear()
            self._kept_keys.add(key)
        return False


def _in_place_of(value: object) -> object:
    """Return what stands for a value that goes whole: a type never changes, since columns of backends have one."""
    return REDACTED if isinstance(value, str) else GONE


class _Answers(Generic[_T]):
    """The redacted copies of what the SDK shares between items, by identity: exporters group items by that object."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[_T, _T]] = {}

    def get(self, item: _T, redact: Callable[[_T], _T]) -> _T:
        """Return the answer for `item`, the same object each time."""
        known = self._by_id.get(id(item))
        if known is not None and known[0] is item:
            return known[1]
        if len(self._by_id) >= _MAX_REMEMBERED:
            self._by_id.clear()
        # The original is kept with the answer, so that its id cannot be given to another while it is the key.
        answer = redact(item)
        self._by_id[id(item)] = (item, answer)
        return answer
