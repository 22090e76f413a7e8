"""Consent: whether this process may collect anything, and whether an event about this person may be sent.

The first asks the policy, the environment and the choice that was made at run time; the second what is known of the
person. Pure, from any thread.
"""

from __future__ import annotations

import os

from otel_posthog.model import Subject
from otel_posthog.policy import active, collection_choice, decide


def should_collect() -> bool:
    """Return whether the policy in force, the environment and a choice made at run time allow collection at all."""
    return decide(active(), os.environ).enabled and not collection_choice(os.environ).is_off()


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
