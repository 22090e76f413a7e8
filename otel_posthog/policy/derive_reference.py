"""The table of the rules that come with the package, made of `shipped_rules.py`, for `docs/derive.md`.

`python -m otel_posthog.policy.derive_reference FILE`, part of `make policy`, writes it between the two marks of FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from otel_posthog.policy.shipped_rules import GROUPS, SHIPPED, Shipped

BEGIN, END = "<!-- made by `make policy` from otel_posthog/policy/shipped_rules.py -->\n", "<!-- end -->\n"
_ELSEWHERE = "what the framework knows"


def table() -> str:
    """Return a row for each rule and event, group by group."""
    head = "| word | of | event | when | properties |\n|---|---|---|---|---|\n"
    return head + "".join(_row(each) for group in GROUPS for each in SHIPPED if each.group == group)


def _row(row: Shipped) -> str:
    properties = ", ".join(f"`{each}`" for each in row.properties) or _ELSEWHERE
    return f"| `{row.name}` | `{row.group}` | `{row.event}` | {row.summary} | {properties} |\n"


def _write(path: Path) -> None:
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
