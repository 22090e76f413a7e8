"""The vocabulary's page and its tests name each other, and every reason that is counted is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "vocabulary.md").read_text(encoding="utf-8")
_ROW_OF_TABLE = re.compile(r"^\|(.+)\| `(test_row_\w+)` \|$", re.MULTILINE)
_SENTENCE = re.compile(r"^- (.+?)\s+\(`(test_row_\w+)`\)$", re.MULTILINE | re.DOTALL)


def rows() -> dict[str, str]:
    """Return test -> what its row begins with: the first term of a table's row or sentence that is set as code."""
    found: dict[str, str] = {}
    for text, test in [*_ROW_OF_TABLE.findall(PAGE), *_SENTENCE.findall(PAGE)]:
        assert test not in found, f"{test} stands in two rows"
        found[test] = re.findall(r"`([^`]+)`", text)[0]
    return found


def row_tests() -> dict[str, str]:
    """Return test -> the first line of its docstring."""
    found = {}
    for path in (ROOT / "tests" / "vocabulary").glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_row_"):
                found[node.name] = (ast.get_docstring(node) or "").partition("\n")[0]
    return found


def test_every_row_has_its_test_and_every_test_its_row() -> None:
    """In both directions; a row of the tables cannot be added without a test."""
    assert set(rows()) == set(row_tests())
    tables = PAGE.partition("## Events that change")[0]
    lines = [line for line in tables.splitlines() if line.startswith("| ") and not line.endswith(" test |")]
    assert len(lines) > 25
    assert [line for line in lines if "`test_row_" not in line] == []


def test_a_reader_finds_the_row_from_the_test() -> None:
    """The first line of the test names what its row begins with."""
    titles = rows()
    assert [name for name, line in row_tests().items() if f"`{titles[name]}`" not in line] == []


def test_every_reason_that_is_counted_on_the_way_is_on_the_page() -> None:
    """What translation, intake, the seal and changes of persons count; and no other is there that nobody counts."""
    package = ROOT / "otel_posthog"
    paths = [*(package / "translate").glob("*.py"), *(package / "intake").glob("*.py")]
    counted: set[str] = set()
    for path in [*paths, package / "privacy" / "seal.py", package / "identity" / "changes.py"]:
        text = path.read_text(encoding="utf-8")
        counted |= set(re.findall(r'(?:note|DropEvent|lost)\("(\w+)"', text))
        counted |= set(re.findall(r'"(\w+_id_invalid)"', text))
    reasons = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (?:dropped|repaired)", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", "".join(reasons))) == counted
