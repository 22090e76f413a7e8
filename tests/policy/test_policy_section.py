"""Sections of a policy: immutable values, whatever way they are made."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from otel_posthog.policy import Policy
from otel_posthog.policy.section import Section


def classes(of: type[Any] = Section) -> Iterator[type[Any]]:
    """Yield every section that there is."""
    for each in of.__subclasses__():
        # The one that `slots=True` replaced is a class as well, of the same name, until it is collected.
        if "__dataclass_fields__" in vars(each) and "__dict__" not in dir(each):
            yield each
        yield from classes(each)


def has_defaults(section: type[Any]) -> bool:
    """Return whether it can be made of nothing."""
    return all(each.default is not dataclasses.MISSING for each in dataclasses.fields(section))


SECTIONS = list(filter(has_defaults, dict.fromkeys(classes())))


@pytest.mark.parametrize("section", SECTIONS, ids=lambda each: each.__name__)
def test_a_section_is_a_value(section: type[Any]) -> None:
    """Equal where its values are, with the same hash; copied, replaced and pickled; never changed."""
    made, other = section(), section()
    assert made == other
    assert hash(made) == hash(other)
    assert made != object()
    assert copy.deepcopy(made) == dataclasses.replace(made) == pickle.loads(pickle.dumps(made)) == made
    for each in dataclasses.fields(section):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, each.name, None)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(made, each.name)
    with pytest.raises((AttributeError, TypeError)):
        made.another = 1
    assert made == other
    assert repr(made).startswith(f"{section.__name__}(")


def test_other_values_are_another_policy_and_no_secret_is_shown() -> None:
    """The one is not the other, and what is secret is not in the text of it."""
    policy = Policy()
    other = dataclasses.replace(policy, privacy=dataclasses.replace(policy.privacy, hmac_secret=b"k" * 32))
    assert policy != other
    assert "kkkk" not in repr(other)
    assert len(SECTIONS) > 8


def test_what_is_built_in_is_made_of_sections() -> None:
    """Every class of the built-in policy is such a section."""
    seen: list[object] = [Policy()]
    for each in seen:
        values = [getattr(each, field.name) for field in dataclasses.fields(each)]  # type: ignore[arg-type]
        seen += [value for value in values if dataclasses.is_dataclass(value) and not isinstance(value, type)]
    assert all(isinstance(each, Section) for each in seen)
