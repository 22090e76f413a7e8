"""Where the helpdesk is: next to the package in a checkout, inside it in a wheel."""

from __future__ import annotations

import shutil
from pathlib import Path

import otel_posthog

PACKAGE = Path(otel_posthog.__file__).resolve().parent
APP = "helpdesk"


def helpdesk_parent(folder: Path, package: Path = PACKAGE) -> Path:
    """Return a folder that holds the `helpdesk` package and nothing else that can be imported by mistake.

    Args:
        folder: Takes a copy of the packaged one, whose neighbours are modules of the demo.
        package: The folder of `otel_posthog`.

    Raises:
        FileNotFoundError: It is in neither place.
    """
    checkout, packaged = package.parent / "examples", package / "apps" / "demo"
    if _holds_app(checkout):
        return checkout
    if not _holds_app(packaged):
        raise FileNotFoundError("the helpdesk is neither next to otel-posthog nor in it; reinstall otel-posthog")
    shutil.copytree(packaged / APP, folder / "app" / APP)
    return folder / "app"


def _holds_app(parent: Path) -> bool:
    return (parent / APP / "__main__.py").is_file()
