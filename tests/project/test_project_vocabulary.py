"""The pages that make promises and their tests name each other, and every reason that is counted is on the first."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
# Page -> where its tests are.
PAGES = {
    "vocabulary": ("vocabulary/test_*.py",),
    "identity": ("identity/test_identity_rows.py", "zero_code/test_zero_code_identity.py"),
}
_ROW_OF_TABLE = re.compile(r"^\|(.+)\| `(test_row_\w+)` \|$", re.MULTILINE)
_SENTENCE = re.compile(r"^- (.+?)\s+\(`(test_row_\w+)`\)$", re.MULTILINE | re.DOTALL)


def rows(page: str) -> dict[str, str]:
    """Return test -> what its row begins with: the first term of a table's row or sentence that is set as code."""
    found: dict[str, str] = {}
    told = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for text, test in [*_ROW_OF_TABLE.findall(told), *_SENTENCE.findall(told)]:
        assert test not in found, f"{test} stands in two rows"
        found[test] = re.findall(r"`([^`]+)`", text)[0]
    return found


def row_tests(page: str) -> dict[str, str]:
    """Return test -> the first line of its docstring."""
    found = {}
    for path in (path for glob in PAGES[page] for path in (ROOT / "tests").glob(glob)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_row_"):
                found[node.name] = (ast.get_docstring(node) or "").partition("\n")[0]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_row_has_its_test_and_every_test_its_row(page: str) -> None:
    """In both directions."""
    assert len(rows(page)) > 20
    assert set(rows(page)) == set(row_tests(page))


def test_a_row_of_the_vocabulary_cannot_be_added_without_a_test() -> None:
    """Each line of its tables names one."""
    tables = PAGE.partition("## Events that change")[0]
    lines = [line for line in tables.splitlines() if line.startswith("| ") and not line.endswith(" test |")]
    assert len(lines) > 25
    assert [line for line in lines if "`test_row_" not in line] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_finds_the_row_from_the_test(page: str) -> None:
    """The first line of the test names what its row begins with."""
    titles = rows(page)
    assert [name for name, line in row_tests(page).items() if f"`{titles[name]}`" not in line] == []


def test_every_reason_that_is_counted_on_the_way_is_on_the_page() -> None:
    """What translation, intake, the encoding and changes of persons count; and no other is there that nobody counts."""
    package = ROOT / "otel_posthog"
    paths = [*(package / "translate").glob("*.py"), *(package / "intake").glob("*.py")]
    counted: set[str] = set()
    for path in [
        *paths,
        package / "posthog" / "encoding.py",
        package / "posthog" / "properties.py",
        package / "identity" / "person.py",
        package / "stages.py",
        package / "bridge" / "client.py",
    ]:
        text = path.read_text(encoding="utf-8")
        counted |= set(re.findall(r'(?:note|DropEvent|lost)\("(\w+)"', text))
        counted |= set(re.findall(r'"(\w+_id_invalid)"', text))
    reasons = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (?:dropped|repaired)", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", "".join(reasons))) == counted
