"""Folders with a `package.json`: a copy with their modules, installed once outside the tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from needs import needs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
INSTALL_TIMEOUT_S = 300


def example(name: str) -> Path:
    """Return a copy of the example `name` in which its locked modules are installed.

    Raises:
        AssertionError: `npm ci` failed; with what it said.
    """
    return installed(EXAMPLES / name, name)


def installed(source: Path, name: str) -> Path:
    """Return a copy of the folder `source` in which its locked modules are installed.

    Args:
        source: Has a `package.json` and its lock file.
        name: What the copy is called.

    Raises:
        AssertionError: `npm ci` failed; with what it said.
    """
    npm = needs("npm", "it installs locked modules")
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts and "dist" not in path.parts:
            digest.update(path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otel-posthog" / "node"
    made = cache / f"{name}-{digest.hexdigest()[:12]}"
    if made.exists():
        return made
    draft = made.with_name(f"{made.name}.{os.getpid()}")
    shutil.copytree(source, draft, ignore=shutil.ignore_patterns("node_modules", "dist"))
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"],
        cwd=draft,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    draft.rename(made)
    return made
