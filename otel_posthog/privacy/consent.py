"""Whether the person an event is about has agreed to its being sent."""

from __future__ import annotations

from otel_posthog.model import Subject


def consent_given(event_or_subject: Subject, *, required: bool) -> bool:
    """Return whether an event about this subject may be sent.

    Args:
        event_or_subject: Who the event is about.
        required: True takes unknown consent as denied.
    """
    consent = event_or_subject.consent
    return not required if consent is None else consent is True
