"""Whether the person an event is about has agreed to its being sent."""

from __future__ import annotations

from otel_posthog.model import Subject


def consent_given(subject: Subject, *, required: bool, heeds_dnt: bool = True) -> bool:
    """Return whether an event about this subject may be sent.

    Args:
        subject: Who the event is about.
        required: True takes unknown consent as denied.
        heeds_dnt: True takes the header `DNT` for a denial.
    """
    if heeds_dnt and subject.do_not_track:
        return False
    consent = subject.consent
    return not required if consent is None else consent is True
