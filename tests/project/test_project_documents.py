"""The documents are true, as far as a machine can tell: what they name exists, and is what they say of it."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from otel_posthog import environment_variables
from otel_posthog.apps.cli import command_line
from otel_posthog.policy.policy import Policy

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
UNITS = {
    "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3,
    "s": 1, "ms": 0.001, "min": 60, "hours": 3600, "days": 86400, "characters": 1, "events": 1,
}  # fmt: skip
# Of posthog-python, of PostHog's properties, what stands for a reader's own, Prometheus's, and posthog-js's.
NAMES_OF_OTHERS = {
    "capture_exception", "session_id_type", "path_or_policy", "out_of_order_time_window",
    "property_denylist", "tracing_headers", "add_tracing_headers",
}  # fmt: skip
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")
_NUMBER = re.compile(rf"`?([0-9][0-9,]*(?:\.[0-9]+)?)`? ?({'|'.join(UNITS)})?\b")
# `name` (5 s), `name` (default: 5 s)
_NAME_AND_DEFAULT = re.compile(r"`(\w+_\w+)`\s\((?:default:? )?(`?[0-9][^),;:]*)")


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request: pytest.FixtureRequest) -> Path:
    """One of the documents."""
    return Path(request.param)


def text_of(page: Path) -> str:
    """Return what a page says, without code blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def settings() -> dict[str, set[object]]:
    """Return the keys of the policy, the dotted ones too, with the defaults that they have in their sections."""
    found: dict[str, set[object]] = {}

    def walk(kind: Any, prefix: str) -> None:
        hints = get_type_hints(kind)
        for each in fields(kind):
            default = each.default.value if isinstance(each.default, Enum) else each.default
            for name in (each.name, f"{prefix}{each.name}", f"also_{each.name}", f"{prefix}also_{each.name}"):
                found.setdefault(name, set()).add(default if isinstance(default, (str, int, float)) else None)
            inner = section_in(hints[each.name])
            if inner is not None and prefix.count(".") < 4:
                walk(inner, f"{prefix}{each.name}.")

    walk(Policy, "")
    return found


def section_in(hint: Any) -> type | None:
    """Return the section that a type has in it."""
    if is_dataclass(hint):
        return hint  # type: ignore[return-value]
    return next((found for each in get_args(hint) if (found := section_in(each)) is not None), None)


@cache
def code() -> str:
    """Return the code, its configurations and its tests as one text, with the names of the files."""
    found: list[str] = []
    for folder in ("otel_posthog", "instrumentation", "examples", "tests", "benchmarks", "collector-config"):
        for path in (ROOT / folder).rglob("*"):
            is_ours = "node_modules" not in path.parts and path.name != Path(__file__).name
            if is_ours and path.suffix in {".py", ".yaml", ".json", ".js", ".toml", ".alloy"}:
                found += (path.stem, path.read_text(encoding="utf-8"))
    return "\n".join([*found, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])


@cache
def words_in_code() -> frozenset[str]:
    """Return every word of it."""
    return frozenset(re.findall(r"\w+", code()))


@cache
def option_defaults() -> dict[str, set[object]]:
    """Return the options of the commands with their defaults."""
    found: dict[str, set[object]] = {}
    for each in (action for parser in parsers().values() for action in options_of(parser)):
        for option in each.option_strings:
            found.setdefault(option, set()).add(each.default if isinstance(each.default, (str, int, float)) else None)
    return found


@cache
def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    return {**command_line().commands}


@cache
def names_of_tests() -> frozenset[str]:
    """Return the names of all tests and of their files."""
    paths = list((ROOT / "tests").rglob("*.py"))
    found = re.findall(r"def (test_\w+)", "\n".join(path.read_text(encoding="utf-8") for path in paths))
    return frozenset([*found, *(path.stem for path in paths)])


def options_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield what a command and its subcommands take."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for each in dict.fromkeys(action.choices.values()):
                yield from options_of(each)


@cache
def command_options() -> dict[str, frozenset[str]]:
    """Return the options and subcommands of each command."""
    found = {}
    for name, parser in parsers().items():
        words = {word for each in options_of(parser) for word in each.option_strings}
        words |= {str(word) for each in options_of(parser) for word in each.choices or ()}
        found[name] = frozenset(words)
    return found


def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading of it."""
    broken = []
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if anchor else ()
        anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
        if not path.exists() or (anchor and anchor not in anchors):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def test_pictures_that_a_page_shows_are_there(page: Path) -> None:
    """Those that are written as HTML, to have another one in the dark, too."""
    named = re.findall(r'<(?:img|source)\b[^>]*\b(?:src|srcset)="([^"]+)"', page.read_text(encoding="utf-8"))
    assert [name for name in named if not (page.parent / name).is_file()] == []


def test_variables_that_a_page_names_are_read(page: Path) -> None:
    """Each variable of ours is in the one file that lists them."""
    known = {value for name, value in vars(environment_variables).items() if name.isupper()}
    named = set(re.findall(r"\b(?:OTEL_POSTHOG|POSTHOG)_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    assert {name for name in named if name not in known} == set()


def test_names_that_a_page_sets_as_code_are_in_the_code(page: Path) -> None:
    """Settings, reasons, modes, tests: a word with an underscore in it stands in the code as well."""
    named = {name for code in _CODE.findall(text_of(page)) for name in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", code)}
    assert {name for name in named if name not in words_in_code()} <= NAMES_OF_OTHERS


def test_dotted_settings_that_a_page_names_exist(page: Path) -> None:
    """`delivery.max_attempts` is a key of the policy's section `delivery`."""
    sections = "|".join(each.name for each in fields(Policy) if section_in(get_type_hints(Policy)[each.name]))
    shape = re.compile(rf"((?:{sections})(?:\[\])?(?:\.\w+)+)(?:: .*)?")
    named = {found[1].replace("[]", "") for code in _CODE.findall(text_of(page)) if (found := shape.fullmatch(code))}
    # The first is a file of the Collector's, the second a part of what `explain --json` prints.
    assert {name for name in named if name not in settings()} <= {"privacy.yaml", "operational.values"}


def test_defaults_that_a_page_tells_are_those_of_the_policy(page: Path) -> None:
    """In sentences as `name` (5 s), and in tables whose second column is called default."""
    assert {name: told for name, told in defaults_in(page) if has_default(name, told) is False} == {}


def test_defaults_are_found_in_the_pages() -> None:
    """What looks for them finds them, so that the test above is about something."""
    found = [has_default(name, told) for page in PAGES for name, told in defaults_in(page)]
    assert found.count(True) > 20


def defaults_in(page: Path) -> list[tuple[str, str]]:
    """Return names of settings, or of other things, with the defaults that a page tells of them."""
    told = [(str(name), str(value)) for name, value in _NAME_AND_DEFAULT.findall(text_of(page))]
    for table in re.findall(r"(?:^\|.*\n)+", text_of(page), re.MULTILINE):
        head, *rows = [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in table.splitlines()]
        if len(head) > 1 and head[1] == "default":
            for row in rows[1:]:
                names = [name.rpartition(".")[2] for name in _CODE.findall(row[0])]
                told += zip(names, row[1].split(", "), strict=False)
    return told


def has_default(name: str, told: str) -> bool | None:
    """Return whether a setting or an option has the default that is told of it; None for what is neither."""
    defaults = {each for each in (settings() | option_defaults()).get(name, ()) if isinstance(each, (str, int, float))}
    number, word = _NUMBER.match(told), _CODE.match(told)
    if not defaults or (number is None and word is None):
        return None
    if number is None:
        return word is not None and word[1] in {str(each).lower() for each in defaults}
    return float(number[1].replace(",", "")) * UNITS.get(number[2] or "s", 1) in defaults


def test_public_names_that_a_page_names_can_be_imported(page: Path) -> None:
    """`otel_posthog.flush()` and its like."""
    named = set(re.findall(r"`(otel_posthog(?:\.\w+)+)(?:\(.*?\))?`", text_of(page)))
    # Metrics and attributes have such names too: they stand in the code as they are.
    missing = [name for name in named if not resolves(*name.rpartition(".")[::2]) and f'"{name}"' not in code()]
    assert missing == []


def resolves(module: str, attribute: str) -> bool:
    """Return whether `module` has `attribute`, or is a package with a module of that name."""
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(
            importlib.import_module(f"{module}.{attribute}")
        )
    except ImportError:
        return False


def test_commands_that_a_page_shows_take_what_is_shown(page: Path) -> None:
    """Each `otel-posthog …`, in a block or a sentence, names a command, its subcommand and its options."""
    wrong = []
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(block for _, block in _FENCE.findall(text))
    shown = re.findall(r"^(?:.*[ |=])?otel-posthog ([a-z].*)$", blocks, re.MULTILINE)
    shown += re.findall(r"`otel-posthog ([a-z][^`]*)`", text)
    for line in shown:
        command, *words = shlex.split(line.partition(" #")[0].split(" | ")[0], comments=True)
        if command not in command_options():
            wrong.append(line)
            continue
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        wrong += [f"{command} {option}" for option in options if option not in command_options()[command]]
    assert wrong == []


def test_tests_that_a_page_names_are_there(page: Path) -> None:
    """A sentence with its test's name can be looked up."""
    named = set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8")))
    assert named - names_of_tests() == set()


def test_files_that_a_page_names_are_there(page: Path) -> None:
    """A path of the project that is set as code."""
    tops = "otel_posthog|tests|docs|examples|benchmarks|collector-config|instrumentation"
    named = set(re.findall(rf"`((?:{tops})/[\w./*-]+)`", page.read_text(encoding="utf-8")))
    assert {name for name in named if not list(ROOT.glob(name))} == set()


def test_targets_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    """Each `make …`."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_every_page_of_the_documents_is_in_the_menu() -> None:
    """A page that is added to `docs/` is a line of `nav` in `zensical.toml` too."""
    named = set(re.findall(r'= "([^"]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8")))
    assert named == {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}, "a line in `nav`"


def test_no_change_is_told_twice() -> None:
    """The changelog is merged by union: a line that somebody wrote anew must not stay beside the old one."""
    lines = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
    begins = Counter(" ".join(line.split()[:5]) for line in lines if line.startswith("- "))
    assert [words for words, number in begins.items() if number > 1] == []
