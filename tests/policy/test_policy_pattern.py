"""The pattern language of the catalog: it means what it says, and nothing makes it slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_posthog.policy import pattern as module
from otel_posthog.policy.pattern import MAX_TEXT_CHARS, PatternError, compile_pattern, matches

_PARTS = st.builds(
    "".join,
    st.lists(
        st.builds("{}{}".format, st.sampled_from(["a", "b", "-", "[ab]", "[a-c-]", "[0-9.]"]),
                  st.sampled_from(["", "?", "{2}", "{0,3}", "{1,2}"])),
        max_size=6,
    ),
)  # fmt: skip


@settings(max_examples=500, deadline=None, derandomize=True)
@given(_PARTS, st.text("abc-01.", max_size=10))
def test_a_pattern_means_what_the_expression_of_the_same_spelling_means(pattern: str, text: str) -> None:
    """The language is a part of that of regular expressions, so that nobody has to learn it."""
    assert matches(pattern, text) is (re.fullmatch(pattern, text) is not None)


@pytest.mark.parametrize(
    "pattern",
    ["a*", "a+", "a.b", "a|b", "(a)", "^a", "a$", r"\d", "?a", "{2}", "a}", "[a", "[]", "[^a]", "[z-a]", "a{3,1}",
     "x" * 201],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused_with_what_to_write_instead(pattern: str) -> None:
    """The message of each has a fix."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert caught.value.problem
    assert caught.value.fix


class Counted(str):
    """A text that counts how often a character of it is looked at."""

    __slots__ = ("looks",)
    looks: int

    def __getitem__(self, index: object) -> str:
        self.looks += 1
        return super().__getitem__(index)  # type: ignore[index]


def test_the_work_is_the_text_times_the_pattern_at_most() -> None:
    """Patterns that make Python's own engine try every way to divide a text look at each character once a part."""
    text = Counted("a" * MAX_TEXT_CHARS)
    text.looks = 0
    assert not matches("[a]{0,100}" * 19 + "b", text)
    assert text.looks <= MAX_TEXT_CHARS * 20
    assert not matches("a{0,999}", "a" * (MAX_TEXT_CHARS + 1))


def test_each_place_is_reached_once_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ways lead to a place in the text, a part puts it down once."""
    pattern, places = "[a]{0,900}" * 4 + "b", 0
    compile_pattern(pattern)

    def counting(start: int, stop: int) -> range:
        nonlocal places
        places += max(0, stop - start)
        return range(start, stop)

    monkeypatch.setattr(module, "range", counting, raising=False)
    assert not matches(pattern, "a" * MAX_TEXT_CHARS)
    assert places <= (MAX_TEXT_CHARS + 1) * 5
