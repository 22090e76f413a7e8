"""What is built and run here may be."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_nothing_under_the_agpl_is_built() -> None:
    """Grafana's servers are none of the programs that are built for tests, nor in what those need."""
    modules = [*ROOT.glob("tests/backends/*/go.mod"), ROOT / "collector-config" / "builder-manifest.yaml"]
    assert {each.parent.name for each in modules} == {"jaeger", "prometheus", "dashboard-schema", "collector-config"}
    text = "\n".join(each.read_text("utf-8") for each in modules)
    # A fork of Go's own package, under Go's licence; the types of dashboards as a library of its own, under Apache-2.0.
    known = {"github.com/grafana/regexp", "github.com/grafana/grafana-foundation-sdk"}
    assert set(re.findall(r"github\.com/grafana/[\w-]+", text)) <= known
