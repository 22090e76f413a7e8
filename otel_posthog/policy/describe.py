"""What the docstrings of the policy's types say of their fields: the descriptions of the schema and of the docs.

Runs in commands and tests only.
"""

from __future__ import annotations

import inspect
import re
from enum import Enum

_FIELD = re.compile(r"(\w+): (.*)")
_MEMBERS = re.compile(r"((?:`[A-Z_0-9]+`(?:, )?)+): (.*)")


def summary_of(kind: type) -> str:
    """Return the first paragraph of the docstring of `kind`."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def fields_of(kind: type) -> dict[str, str]:
    """Return field -> what the `Attributes:` section of `kind` says of it."""
    text = inspect.getdoc(kind) or ""
    found: dict[str, str] = {}
    name = ""
    for line in text.partition("Attributes:\n")[2].splitlines():
        start = _FIELD.match(line.removeprefix("    ")) if line.startswith("    ") and line[4:5] != " " else None
        if start is not None:
            name = start[1]
            found[name] = start[2]
        elif name and line.strip():
            found[name] += f" {line.strip()}"
    return found


def members_of(kind: type[Enum]) -> dict[str, str]:
    """Return value -> what the docstring of an enum says of that member."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in (inspect.getdoc(kind) or "").splitlines():
        start = _MEMBERS.match(line)
        if start is not None:
            names = [kind[each].value for each in re.findall(r"[A-Z_0-9]+", start[1])]
            found.update(dict.fromkeys(names, start[2]))
        elif names and line.startswith("    "):
            found.update((name, f"{found[name]} {line.strip()}") for name in names)
        else:
            names = []
    return found
