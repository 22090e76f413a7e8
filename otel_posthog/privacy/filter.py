"""What an app and its telemetry say in, what may leave out: names, keys and values, nested ones too.

An event's declared properties pass the key rules and the detectors; telemetry must be on the allow-list first. The
operational side shares key rules and detectors through `scrub_value` and `scrub_text`. Any thread; never logs a value.
What goes wrong in here is raised: the pipeline drops the event and counts it.
"""

from __future__ import annotations

from collections.abc import Mapping

from otel_posthog.harmless import Harmless
from otel_posthog.model import Receipt
from otel_posthog.policy import PrivacyPolicy
from otel_posthog.privacy.exceptions import NEVER
from otel_posthog.privacy.properties import Hide, Properties
from otel_posthog.privacy.routes import Routes
from otel_posthog.privacy.rules import Rules
from otel_posthog.privacy.scan import CountActions
from otel_posthog.privacy.scrub import NO_OTHERS, Scrub
from otel_posthog.privacy.walk import REPLACED


class Filter:
    """The privacy rules of one policy, compiled; safe to share between threads.

    Args:
        policy: What may leave.
        note: Told of texts that went whole, as receipts are; for the operational side, which has none.
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
        """Return what of telemetry attributes may leave; those not on the allow-list stay.

        Args:
            attributes: As the instrumentation set them.
            receipt: Gets which rule did what to an allowed key, and a detailed one those that are not allowed.
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
        # Ids among what is known are the identity stage's to take out, as among all that is short.
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

    def names_id(self, key: str) -> bool:
        """Return whether `key` is named as the id of a user, session, device or visitor."""
        return self._rules.key(key).facts.identifier

    def paths(self, attributes: Mapping[str, object]) -> Mapping[str, str]:
        """Return those paths among `attributes` of which their route says that a part is to go, without it."""
        return self._routes.paths(attributes)

    def _with_paths(self, allowed: dict[str, object], paths: Mapping[str, str], receipt: Receipt) -> dict[str, object]:
        """Return `allowed` with `paths` for those of its own."""
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
        """Return whether an operational attribute may be harmless by itself, and not beside others.

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
