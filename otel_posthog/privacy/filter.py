"""The filter: names, keys and values of an event in, what of them may leave out, nested values too.

Declared properties pass the key rules and the detectors; telemetry must also be on the allow-list. The operational side
uses the same rules and detectors through `scrub_value` and `scrub_text`. Any thread; never logs a value. It raises on
errors: the pipeline then drops the event and counts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from otel_posthog.harmless import Harmless
from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy.exceptions import NEVER
from otel_posthog.privacy.json_values import JSON_STARTS
from otel_posthog.privacy.properties import Hide, Properties
from otel_posthog.privacy.routes import Routes
from otel_posthog.privacy.rules import Key, Rules
from otel_posthog.privacy.scan import CountActions
from otel_posthog.privacy.scrub import NO_OTHERS, Scrub
from otel_posthog.privacy.walk import REPLACED


class Filter:
    """The privacy rules of one policy, compiled; safe to share between threads.

    Args:
        policy: What may leave.
        note: Called for texts that were replaced whole; for the operational side, which has no receipts.
    """

    def __init__(self, policy: PrivacyPolicy, note: CountActions | None = None) -> None:
        self._allow = policy.allow - NEVER
        self._rules = Rules(policy, note)
        self._scrub = Scrub(self._rules)
        self._telemetry, self._names = Harmless(), Harmless()
        self._routes = Routes(self._rules.hides)

    def properties(
        self, properties: Mapping[str, object], receipt: Receipt, hide: Hide | None = None
    ) -> dict[str, object]:
        """Return what of declared properties may leave, JSON-safe.

        Args:
            properties: As the app declared them.
            receipt: Gets which rule did what to which key.
            hide: Takes ids out of texts before they are cut to their length.
        """
        return Properties(self._rules, receipt, hide).cleaned(properties) if properties else {}

    def telemetry(
        self, attributes: Mapping[str, object], receipt: Receipt, hide: Hide | None = None
    ) -> dict[str, object]:
        """Return what of telemetry attributes may leave; those not on the allow-list may not.

        Args:
            attributes: As the instrumentation set them.
            receipt: Gets which rule did what to an allowed key; a detailed one also gets the keys not allowed.
            hide: Takes ids out of texts before they are cut to their length.
        """
        allow = self._allow
        if receipt.is_detailed:
            for key in attributes:
                if key not in allow:
                    receipt.add(self._rules.key(key).name, "allow_list", "removed")
        allowed = {key: value for key, value in attributes.items() if key in allow}
        paths = self.paths(attributes)
        if paths:
            allowed = self._with_paths(allowed, paths, receipt)
        # Ids in known values are left to the identity stage, like those in all short values.
        if len(allowed) <= self._rules.policy.max_properties and self._telemetry.knows_all(allowed):
            return allowed
        before = len(receipt.entries)
        kept = self.properties(allowed, receipt, hide)
        if kept == allowed and len(receipt.entries) == before:
            for key, value in allowed.items():
                self._telemetry.remember(key, value)
        return kept

    def name(self, text: str, receipt: Receipt) -> str:
        """Return an event name with the detectors' hits replaced.

        Args:
            text: The name as the app wrote it.
            receipt: Gets what fired, under the key `event`.
        """
        if self._names.knows("event", text):
            return text
        cleaned = Properties(self._rules, receipt).name(text, "event")
        if cleaned == text:
            self._names.remember("event", text)
        return cleaned

    def plain_key(self, key: str, beside: Collection[str]) -> Key | None:
        """Return the reading of a key that says nothing of its value but what the detectors take from it; else None.

        Args:
            key: Of a property.
            beside: The keys of the properties beside it.
        """
        read = self._rules.key(key)
        if read.is_plain:
            return read
        if read.reserved or read.fired or read.facts.sensitive or read.rule is not None:
            return None
        return read if read.half not in beside and not any(name in beside for name in read.names) else None

    def is_unchanged(self, text: str, key: Key) -> bool:
        """Return whether `text` leaves as it is under a key that `plain_key` knows, ids in it aside."""
        limit, fired = self._rules.policy.max_string_chars, list[str]()
        if len(text) > limit or text[:1] in JSON_STARTS:
            return False
        return self._rules.scanner.clean(text, limit, key.facts, fired, key.methods) is text and not fired

    def leaves(self, text: str, name: str) -> bool:
        """Return whether `text` leaves as it is as the only property, of that name; False where that is not sure."""
        read = self._rules.key(name)
        return read.is_plain and type(text) is str and self.has_room(1) and self.is_unchanged(text, read)

    def hides(self, text: str) -> bool:
        """Return whether the detectors find something in `text`."""
        return self._scrub.text(text) is not text

    def has_room(self, count: int) -> bool:
        """Return whether so many properties may leave."""
        return count <= self._rules.policy.max_properties

    def cleans_paths(self, template: object) -> bool:
        """Return whether a route of this template marks a part of its paths as personal."""
        return self._routes.marks(template)

    def allows(self, key: str) -> bool:
        """Return whether an attribute of telemetry of this key may leave."""
        return key in self._allow

    def names_id(self, key: str) -> bool:
        """Return whether `key` names the id of a user, session, device or visitor."""
        return self._rules.key(key).facts.identifier

    def paths(self, attributes: Mapping[str, object]) -> Mapping[str, str]:
        """Return those paths of `attributes` whose route marks a part as personal, without that part."""
        return self._routes.paths(attributes)

    def _with_paths(self, allowed: dict[str, object], paths: Mapping[str, str], receipt: Receipt) -> dict[str, object]:
        """Return `allowed` with `paths` in place of its own paths."""
        for key, path in paths.items():
            if allowed.get(key, path) != path:
                receipt.add(key, "route", REPLACED)
        return {key: paths.get(key, value) for key, value in allowed.items()}

    def scrub_value(self, key: str, value: object, among: Mapping[str, object] = NO_OTHERS) -> object:
        """Return an operational attribute's value, scrubbed; the same object where there is nothing to hide.

        Args:
            key: The attribute's key.
            value: Its value.
            among: The attributes of the item; two numbers may be a place only together.
        """
        return self._scrub.value(key, value, among)

    def depends(self, key: str) -> bool:
        """Return whether the other attributes may say more of the value of this one.

        Args:
            key: The attribute's key.
        """
        return self._scrub.depends(key)

    def scrub_text(self, text: str) -> str:
        """Return an operational text (a span's name, a status message), scrubbed; the same object if nothing was found.

        Args:
            text: Any text.
        """
        return self._scrub.text(text)
