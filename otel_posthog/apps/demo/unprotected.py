"""Run the app as if this package were not installed: the control that shows what the filters keep back.

The interpreter is given an almost empty package of the same name before the real one: what OpenTelemetry loads by entry
point is there and does nothing. Where the app then imports `capture`, it finds none, as its own code expects.
"""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

PACKAGE = "otel_posthog"
LOADED_GROUPS = ("opentelemetry_pre_instrument", "opentelemetry_environment_variables")


def hide_package(folder: Path, environment: dict[str, str]) -> None:
    """Change `environment` so that an app under `opentelemetry-instrument` runs without us; files go into `folder`."""
    parent = folder / "without"
    for group in LOADED_GROUPS:
        for entry_point in entry_points(group=group):
            if entry_point.module.partition(".")[0] == PACKAGE:
                _write_module(parent, entry_point.module, entry_point.attr)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(parent), environment.get("PYTHONPATH"))))
    environment["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "posthog"


def _write_module(parent: Path, name: str, function: str) -> None:
    *packages, module = name.split(".")
    folder = parent
    for package in packages:
        folder /= package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    (folder / f"{module}.py").write_text(f"def {function}() -> None:\n    pass\n" if function else "")
