"""The page's files: what is vendored is what npm has, and all of it can be read as it is."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest
from inspector_feed import PAGE
from needs import needs
from node import installed

NPM = Path(__file__).with_name("npm")
MAX_LINES, MAX_BYTES = 400, 200_000
OURS = sorted(each for each in PAGE.rglob("*") if each.suffix in {".js", ".css", ".html"})
VENDORED = {"preact.mjs": "preact/dist/preact.mjs", "htm.mjs": "htm/dist/htm.mjs"}
READ = """
const { readFileSync } = require("node:fs");
const { SourceTextModule } = require("node:vm");
for (const name of process.argv.slice(1)) new SourceTextModule(readFileSync(name, "utf8"), { identifier: name });
"""
LICENCES = {"preact.LICENSE": "preact/LICENSE", "htm.LICENSE": "htm/LICENSE"}


def test_what_is_vendored_is_what_npm_has() -> None:
    """Byte for byte, with its licence; `npm ci` compares the packages with the hashes in the lock file."""
    modules = installed(NPM, "inspector-page") / "node_modules"
    for ours, theirs in (VENDORED | LICENCES).items():
        assert (PAGE / "vendor" / ours).read_bytes() == (modules / theirs).read_bytes()


def test_what_is_vendored_is_what_its_list_says() -> None:
    """Each file, with its version and hash; nothing else is there."""
    text = (PAGE / "vendor" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \|.*?\| ([\d.]+) \|.*?\| `([0-9a-f]{64})` \|$", text, re.MULTILINE)
    wanted = json.loads((NPM / "package.json").read_text("utf-8"))["dependencies"]
    assert {name.partition(".")[0]: version for name, version, _ in rows} == wanted
    for name, _, digest in rows:
        assert hashlib.sha256((PAGE / "vendor" / name).read_bytes()).hexdigest() == digest
    assert {each.name for each in (PAGE / "vendor").iterdir()} == {*VENDORED, *LICENCES, "README.md"}


def test_scripts_are_javascript() -> None:
    """Node reads each as a module."""
    node = needs("node", "it reads the page's scripts")
    scripts = [each for each in OURS if each.suffix == ".js"]
    words = [node, "--experimental-vm-modules", "--no-warnings", "-e", READ, *map(str, scripts)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_files_are_small_and_load_nothing_from_elsewhere(path: Path) -> None:
    """No address of another server, nothing inline, no markup made of text, and below 400 lines."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not re.search(r"https?:|//[\w-]+\.\w|@import|url\(|innerHTML|dangerouslySet|eval\(|new Function", text)
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=\"|\sstyle=\"", text)


def test_the_page_is_light() -> None:
    """All of it together weighs less than one photograph."""
    assert sum(each.stat().st_size for each in PAGE.rglob("*") if each.is_file()) < MAX_BYTES
