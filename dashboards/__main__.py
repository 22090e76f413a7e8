"""Writes the files: `python -m dashboards [FOLDER]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from dashboards.alerts import grafana_rules, prometheus_rules
from dashboards.gateway import gateway
from dashboards.health import health
from dashboards.panels import Json
from dashboards.product import product
from dashboards.provisioning import dashboard_provider, data_sources, jaeger_page

FOLDER = Path(__file__).resolve().parents[1] / "collector-config" / "grafana"
_HEAD = "# Made by `make dashboards`, not by hand. docs/grafana.md says what it is for and which variables it reads.\n"


def _json(document: Json) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _yaml(document: Json) -> str:
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def files() -> dict[str, str]:
    """Return path -> text of every file."""
    return {
        "dashboards/health.json": _json(health()),
        "dashboards/gateway.json": _json(gateway()),
        "dashboards/product.json": _json(product()),
        "provisioning/alerting/otel-posthog.yaml": _yaml(grafana_rules()),
        "provisioning/dashboards/otel-posthog.yaml": _yaml(dashboard_provider()),
        "provisioning/datasources/otel-posthog.yaml": _yaml(data_sources()),
        "prometheus-rules.yaml": _yaml(prometheus_rules()),
        "jaeger-page.json": _json(jaeger_page()),
    }


def main(folder: Path = FOLDER) -> None:
    """Write them under `folder`."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
