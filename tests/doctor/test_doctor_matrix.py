"""The tables of `docs/troubleshooting.md`: every kind of finding has its row, and a test that has it found."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from doctored import doctor, healthy

from otel_posthog.apps.doctor.finding import Gravity, Level
from otel_posthog.apps.doctor.reference import BEGIN, END, kinds, tables
from otel_posthog.privacy import without_secrets

ROOT = Path(__file__).parents[2]


def test_the_page_has_what_the_doctor_says() -> None:
    """`make policy` renews it."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == f"\n{tables()}\n"


def test_every_kind_of_bad_news_has_a_symptom_and_good_news_none() -> None:
    """So that it is in a table, with a name of its own; what is wrong is never merely to know."""
    found = list(kinds())
    assert [name for name, number in Counter(each.id for each in found).items() if number > 1] == []
    assert [each.id for each in found if (each.symptom is None) != (each.level is Level.OK)] == []
    assert [each.id for each in found if each.level is Level.WRONG and each.gravity is Gravity.TO_KNOW] == []
    assert len(tables().splitlines()) > len([each for each in found if each.symptom])


def test_every_kind_is_found_in_a_test() -> None:
    """A row that no test makes the doctor find might never be found."""
    tests = [*(ROOT / "tests" / "doctor").glob("*.py"), *(ROOT / "tests" / "apps").glob("test_apps_doctor*.py")]
    named = set(re.findall(r"\"(\w+)\"", "\n".join(each.read_text(encoding="utf-8") for each in tests)))
    assert {each.id for each in kinds() if each.level is not Level.OK} - named == set()


def test_what_to_do_is_shown_as_it_is_written() -> None:
    """What takes passwords out of findings takes nothing out of their own words."""
    words = [text for each in kinds() for text in (each.says, each.fix)]
    assert [each for each in words if without_secrets(each) != each] == []


@pytest.mark.parametrize("variable", ["POSTHOG_API_KEY", "NEXT_PUBLIC_POSTHOG_KEY"])
def test_what_stands_behind_a_variable_is_shown_as_well(variable: str) -> None:
    """A colon behind the name of a key makes a word look like one."""
    named = re.compile(r"\{(?:variable|ours)\}(?!=)")
    words = [named.sub(variable, text) for each in kinds() for text in (each.says, each.fix)]
    assert [each for each in words if without_secrets(each) != each] == []


EXAMPLES = {
    "off_by_sdk_disabled_word": {"OTEL_SDK_DISABLED": "1"},
    "setting_refused": {"OTEL_POSTHOG_SAMPLER": "nope"},
    "off_by_enabled": {"OTEL_POSTHOG_ENABLED": "false"},
    "off_by_usage_stats": {"USAGE_STATS": "false"},
    "off_by_do_not_track": {"DO_NOT_TRACK": "1"},
    "off_by_sdk_disabled": {"OTEL_SDK_DISABLED": "true"},
    "off_no_key": {"POSTHOG_API_KEY": ""},
    "preview": {"OTEL_POSTHOG_ENABLED": "preview"},
    "host_app": {"POSTHOG_HOST": "https://eu.posthog.com"},
    "browser_mismatch": {"NEXT_PUBLIC_ANALYTICS_ANONYMIZE_USER_IDS": "false"},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_page_has_for_example_is_said(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In these words, of the set-up that comes first to mind."""
    monkeypatch.chdir(tmp_path)
    healthy(monkeypatch, **EXAMPLES[name])
    assert doctor()[name]["says"] == next(each.example for each in kinds() if each.id == name)
