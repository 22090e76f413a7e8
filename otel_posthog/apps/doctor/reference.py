"""The tables of `docs/troubleshooting.md`, made of the kinds of findings: for each symptom what the doctor says.

`python -m otel_posthog.apps.doctor.reference FILE`, part of `make policy`, writes them between the two marks of FILE.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from otel_posthog.apps.doctor.finding import Group, Kind, Level, Symptom

BEGIN, END = "<!-- made by `make policy` from otel_posthog/apps/doctor/ -->\n", "<!-- end -->\n"
_WORD = re.compile(r"(?<!{){(\w+)(?::[^{}]*)?}(?!})")
_ORDER = list(Group)


def kinds() -> Iterator[Kind]:
    """Yield every kind, file by file."""
    folder = Path(__file__).parent
    for name in sorted(each.name for each in iter_modules([str(folder)])):
        if name != Path(__file__).stem:
            yield from getattr(import_module(f"otel_posthog.apps.doctor.{name}"), "KINDS", ())


def tables() -> str:
    """Return a table for each symptom, the gravest first."""
    parts = []
    for symptom in Symptom:
        rows = sorted(
            (each for each in kinds() if each.symptom is symptom and each.level is not Level.OK),
            key=lambda each: (each.level is Level.NOTE, each.gravity, _ORDER.index(each.group), each.id),
        )
        head = f"### {symptom.value}\n\n| `doctor` says | what to do | |\n|---|---|---|\n"
        parts.append(head + "".join(map(_row, rows)))
    return "\n".join(parts)


def _row(kind: Kind) -> str:
    mark = "✗" if kind.level is Level.WRONG else "•"
    fix = _shown(kind.fix) or "as it says"
    says = f"for example: {_shown(kind.example)}" if kind.example else _shown(kind.says)
    return f"| {mark} {says} | {fix} | {kind.group.value}, `{kind.id}` |\n"


def _shown(text: str) -> str:
    """Return a text of a kind with what is filled in as a word in italics."""
    shown = _WORD.sub(lambda found: f"*{found[1].replace('_', ' ')}*", text).replace("{{", "{").replace("}}", "}")
    return shown.replace("<", "&lt;").replace("|", "\\|")


def _write(path: Path) -> None:
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
