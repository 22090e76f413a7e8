"""The end of a run in words: every check, what leaked if anything did, the verdict."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from otel_posthog.apps.demo.figures import Figures
from otel_posthog.apps.demo.verdict import Check, passed

MARKS = {True: ("✓", "bold green"), False: ("✗", "bold red"), None: ("-", "bright_black")}
LEAKS_SHOWN = 8


def close(
    console: Console, figures: Figures, made: tuple[Check, ...], kept_folder: Path | None, *, unprotected: bool
) -> None:
    """Print what the run has shown."""
    console.print()
    for check in made:
        mark, style = MARKS[check.held]
        console.print(Text.assemble((mark, style), f" {check.text}"))
    for side, leaks in (("PostHog", figures.leaks_to_posthog), ("OTLP", figures.leaks_to_otlp)):
        for leak in leaks[:LEAKS_SHOWN]:
            console.print(Text.assemble((f"  seen by {side}: ", "red"), leak), no_wrap=True, overflow="ellipsis")
        if len(leaks) > LEAKS_SHOWN:
            console.print(Text(f"  and {len(leaks) - LEAKS_SHOWN} more", "red"))
    if kept_folder is not None:
        console.print(Text(f"- the run's files are in {kept_folder}"), soft_wrap=True)
    verdict = Text("All held", "bold green") if passed(made) else Text("Not held", "bold red")
    hint = ""
    if unprotected:
        verdict.append(", and was not to: this was the app without otel-posthog")
    else:
        hint = "   (what the filters keep back: otel-posthog demo --unprotected)"
    console.print(Text.assemble("\n", verdict, f", {figures.seconds:.1f} s", (hint, "bright_black")))
