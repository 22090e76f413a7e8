"""Every code block of every page: Python is run, policies are read, commands are ones that a shell understands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from needs import needs
from pages import ROOT, Block, all_pages, blocks_of
from telemetry import Telemetry

from otel_posthog.policy.yaml_file import parse_policy

BLOCKS = [block for page in all_pages() for block in blocks_of(page)]
# Page -> the test that runs its Python as it stands there.
RUN_BY = {
    "README.md": "tests/project/test_project_readme.py",
    "docs/cookbook.md": "tests/docs/test_docs_cookbook.py",
    "docs/frameworks.md": "tests/instrumentation/test_instrumentation_recipes.py",
    "docs/journeys.md": "tests/journeys/test_journeys_page.py",
    "docs/moving-from-posthog-python.md": "tests/bridge/test_bridge_page.py",
    "docs/setup.md": "tests/zero_code/test_zero_code_flask.py",
    "docs/derive.md": "tests/derive/test_derive_flags.py",
}
# What is no policy, as (page, number of the block).
OTHER_YAML: dict[str, str] = {}
# What a shell of this project's readers knows.
COMMANDS = {
    "cd", "curl", "docker", "echo", "export", "git", "make", "node", "npm", "opentelemetry-bootstrap",
    "opentelemetry-instrument", "openssl", "otel-posthog", "otelcol-posthog", "pip", "python", "unset",
}  # fmt: skip
LANGUAGES = {"", "python", "yaml", "sh", "text", "json", "js"}
GIVEN = """
from opentelemetry import trace
span = trace.get_tracer("given").start_span("given")
"""


def of(language: str) -> list[object]:
    """Return the blocks of a language as parameters."""
    return [pytest.param(each, id=each.where) for each in BLOCKS if each.language == language]


def words_of(line: str) -> list[str]:
    """Return a command's words, without the variables that are set for it alone."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_][A-Z0-9_]*=.*", words[0], re.DOTALL):
        words.pop(0)
    return words


def is_shell(block: Block) -> bool:
    """Return whether a block is commands: it says so, or says nothing and begins with one."""
    if block.language == "":
        first = next((line for line in block.text.splitlines() if line.strip() and not line.startswith("#")), "")
        begins = re.sub(r"^(?:[A-Z_][A-Z0-9_]*=\S* )*", "", first).split(" ")[0]
        return begins in COMMANDS
    return block.language == "sh"


def test_every_block_is_of_a_language_that_is_looked_at() -> None:
    """A block of another kind needs a test of its own."""
    assert {each.language for each in BLOCKS} <= LANGUAGES


@pytest.mark.parametrize("block", of("python"))
def test_python_runs(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Here, or by the test that the page has; a file of a quick start is run by the test of those."""
    by = RUN_BY.get(block.page)
    if block.page.startswith("docs/quickstart/") and block.file_name:
        by = "tests/docs/test_docs_quickstart.py"
    if by:
        name = "quickstart" if "quickstart" in block.page else Path(block.page).name
        assert name in (ROOT / by).read_text(encoding="utf-8")
        return
    with Telemetry() as app:
        app.use_for_capture(monkeypatch)
        monkeypatch.setattr("otel_posthog.configure", lambda: None)
        monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", lambda _: None)
        monkeypatch.chdir(tmp_path)
        names: dict[str, object] = {}
        exec(GIVEN, names)
        # A page's later block goes on where an earlier one has ended.
        for each in BLOCKS:
            if (each.page, each.language) == (block.page, "python") and each.number <= block.number:
                exec(each.text, names)


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_is_a_policy(block: Block, tmp_path: Path) -> None:
    """It is read as what people would copy, unless it is told here to be something else."""
    if block.where in OTHER_YAML:
        return
    (tmp_path / "catalog.yaml").write_text("events: {a: {}}\n", encoding="utf-8")
    parse_policy(block.text, source=block.where, directory=tmp_path)


@pytest.mark.parametrize("block", of("json"))
def test_json_is_json(block: Block) -> None:
    """Line by line, or as a whole."""
    try:
        json.loads(block.text)
    except ValueError:
        for line in block.text.splitlines():
            json.loads(line)


def test_javascript_is_javascript(tmp_path: Path) -> None:
    """As Node reads it."""
    node = needs("node", "it reads the pages' JavaScript")
    found = [each for each in BLOCKS if each.language == "js"]
    assert found
    for each in found:
        path = tmp_path / f"{each.number}.js"
        path.write_text(each.text, encoding="utf-8")
        done = subprocess.run([node, "--check", str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{each.where}: {done.stderr}"


@pytest.mark.parametrize("block", [pytest.param(each, id=each.where) for each in BLOCKS if is_shell(each)])
def test_commands_are_ones_that_a_shell_understands(block: Block) -> None:
    """Bash parses them, and each begins with a command that readers have."""
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    joined = re.sub(r"\\\n\s*", " ", block.text)
    for statement in statements(joined):
        words = words_of(statement)
        assert not words or words[0] in COMMANDS, words


def statements(text: str) -> list[str]:
    """Return a shell text's commands: lines, but those within quotes belong together."""
    found: list[str] = []
    for line in text.splitlines():
        if found and found[-1].count("'") % 2:
            found[-1] += f"\n{line}"
        elif line.strip() and not line.lstrip().startswith("#"):
            found.append(line)
    return found


def test_blocks_are_found() -> None:
    """What looks for them finds them, so that the tests above are about something."""
    counted = {language: sum(each.language == language for each in BLOCKS) for language in LANGUAGES}
    assert counted["python"] > 40
    assert counted["yaml"] > 15
    assert sum(map(is_shell, BLOCKS)) > 40
