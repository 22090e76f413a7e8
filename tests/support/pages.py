"""The documents' pages: their code blocks, and how a reader's terminal runs them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^( *)```([\w-]*)[^\n]*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
# What differs from run to run, and from one machine to the next.
_PASSING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)", "TIME"),
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r"\b[0-9a-f]{16}\b", "ID"),
    (r"\b3\.1\d\.\d+\b", "PYTHON"),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of a page.

    Attributes:
        page: Of which it is, as `docs/...`.
        number: Its place on the page, from 1.
        language: As the page says it; empty where it does not.
        text: What is in it.
    """

    page: str
    number: int
    language: str
    text: str

    @property
    def file_name(self) -> str:
        """The name of the file that it is, where its first line says so."""
        found = re.match(r"# ([\w/]+\.\w+)\n", self.text)
        return found[1] if found else ""

    @property
    def where(self) -> str:
        """How a test is called that is about it."""
        return f"{self.page}:{self.number}"


def blocks_of(page: Path, *languages: str) -> list[Block]:
    """Return the code blocks of a page, or those in some languages."""
    return blocks_in(page.read_text(encoding="utf-8"), str(page.relative_to(ROOT)), *languages)


def blocks_in(text: str, page: str, *languages: str) -> list[Block]:
    """Return the code blocks of a text, or those in some languages.

    Args:
        text: A page, or a part of one.
        page: What it is called.
        languages: Which; all if none is named.
    """
    found = []
    for number, (indent, language, inside) in enumerate(_FENCE.findall(text), 1):
        lines = "".join(line.removeprefix(indent) for line in inside.splitlines(keepends=True))
        found.append(Block(page, number, language, lines))
    return [each for each in found if not languages or each.language in languages]


def all_pages() -> list[Path]:
    """Return README and every page below `docs/`."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def terminal(directory: Path, **environ: str) -> dict[str, str]:
    """Return the environment of a reader's terminal: this Python's commands first, a state directory of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "POSTHOG_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "OTEL_POSTHOG_STATE_DIR": str(directory / "state"), "COLUMNS": "120", **environ}


def lasting(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, name in _PASSING:
        text = re.sub(pattern, name, text)
    return text
