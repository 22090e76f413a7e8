"""The attributes of one item, sorted by meaning: what the stages of translation hand each other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Sorted:
    """The attributes of one item, sorted by meaning.

    Attributes:
        properties: What the app declared of the event.
        telemetry: Everything outside `analytics.*`.
        ids: What is under a name of a user's or session's id, by its full key; any value.
        choices: The same of what is said of consent and of tracking.
        groups: Group type -> group key.
        group_set: Group type -> properties of that group.
        person_set: Person properties to set.
        person_set_once: Person properties to set where there are none.
        session_id: What a property of PostHog's calls the session; any value.
        user_id: What one calls the user; any value.
        wants_profile: False where one asks for an event without a person's profile.
    """

    properties: dict[str, object] = field(default_factory=dict)
    telemetry: dict[str, object] = field(default_factory=dict)
    ids: dict[str, object] = field(default_factory=dict)
    choices: dict[str, object] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    group_set: dict[str, dict[str, object]] = field(default_factory=dict)
    person_set: dict[str, object] = field(default_factory=dict)
    person_set_once: dict[str, object] = field(default_factory=dict)
    session_id: object = None
    user_id: object = None
    wants_profile: bool = True
