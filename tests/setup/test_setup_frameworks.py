"""A web framework without its instrumentation is told of where it is in use: once, and nowhere else."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from left_out import Environment, bare, tried

from otel_posthog.errors import Guard
from otel_posthog.health import FAULT, Health
from otel_posthog.setup.frameworks import log_uninstrumented

VARIABLE = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
START = "import otel_posthog; otel_posthog.configure()\n"

# Workers that import their app after the fork, as gunicorn's do, all at once; then the parent, then a command.
FORKING = """
import os, subprocess, sys
if not sys.argv[1:]:
    go, away = os.pipe()
    children = []
    for _ in range(3):
        children.append(os.fork())
        if not children[-1]:
            os.close(away)
            os.read(go, 1)
            break
    else:
        os.close(away)
        assert [os.waitpid(each, 0)[1] for each in children] == [0] * 3
import flask, django
if not sys.argv[1:] and 0 not in children:
    subprocess.run([sys.executable, __file__, "again"], check=True)
"""

# Workers that are started anew, as uvicorn's are, by a parent that does not import the app.
SPAWNING = """
import multiprocessing, otel_posthog

def work():
    otel_posthog.configure()
    import flask

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
        assert each.exitcode == 0
"""

CONFIG_FILE = """
file_format: "1.0"
instrumentation/development: {python: {flask: {enabled: false}}}
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """One with the frameworks, and without their instrumentations."""
    return bare(tmp_path_factory.mktemp("bare") / "environment")


def told(out: str) -> list[str]:
    """Return the frameworks that `out` tells of, once for each time."""
    ends = " is installed, its instrumentation is not"
    return sorted(line.partition(ends)[0] for line in out.splitlines() if ends in line)


def test_a_framework_without_its_instrumentation_is_told_of_once_by_forked_workers(
    environment: Environment, tmp_path: Path
) -> None:
    """Zero-code: one line for each framework, though five processes import it, and the line says what to do."""
    program = tmp_path / "program.py"
    program.write_text(FORKING)
    out = environment.run(str(program), is_instrumented=True)
    assert told(out) == ["Django", "Flask"], out
    for name, called in (("flask", "Flask"), ("django", "Django")):
        (line,) = (each for each in out.splitlines() if each.startswith(f"{called} is installed"))
        assert f"pip install opentelemetry-instrumentation-{name}, or opentelemetry-bootstrap -a install" in line
        assert f"add {name} to {VARIABLE}" in line


def test_a_framework_without_its_instrumentation_is_told_of_once_by_spawned_workers(
    environment: Environment, tmp_path: Path
) -> None:
    """`configure()` in each of three workers that are started anew: one line."""
    program = tmp_path / "program.py"
    program.write_text(SPAWNING)
    out = environment.run(str(program))
    assert told(out) == ["Flask"], out


def test_a_framework_is_told_of_where_it_is_in_use(environment: Environment, tmp_path: Path) -> None:
    """Imported before set-up or after; not where it only lies there, where that is meant so, or nothing is sent."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG_FILE)
    others = tmp_path / "others" / "vendor-1.dist-info"
    others.mkdir(parents=True)
    (others / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor\nVersion: 1\n")
    (others / "entry_points.txt").write_text("[opentelemetry_instrumentor]\nflask = vendor:Instrumentor\n")
    use = f"{START}import flask"
    said = tried(
        environment,
        {
            "before": ({}, f"import flask\n{START}"),
            "after": ({}, use),
            "from inside": ({}, f"{START}from django.http import HttpResponse"),
            "components": ({}, "import otel_posthog, fastapi; otel_posthog.AnalyticsSpanProcessor()"),
            "another is disabled": ({VARIABLE: "django,fastapi"}, use),
            "twice": ({}, f"import flask\n{START}{START}import flask.json"),
            "installed": ({}, START),
            "looked for": ({}, f"import importlib.util\n{START}assert importlib.util.find_spec('flask')"),
            "disabled": ({VARIABLE: "requests, flask"}, use),
            "all disabled": ({VARIABLE: "*"}, use),
            "disabled in the file": ({"OTEL_CONFIG_FILE": str(config)}, use),
            "brought by others": ({}, f"import sys; sys.path.append({str(others.parent)!r})\n{use}"),
            "switched off": ({"USAGE_STATS": "false"}, use),
        },
    )
    # An SDK that cannot read the file runs without it.
    unread = {} if find_spec("opentelemetry.configuration") else {"disabled in the file": ["Flask"]}
    assert {name: told(out) for name, out in said.items() if told(out)} == {
        **unread,
        "before": ["Flask"],
        "after": ["Flask"],
        "from inside": ["Django"],
        "components": ["FastAPI"],
        "another is disabled": ["Flask"],
        "twice": ["Flask"],
    }, said


def test_where_every_framework_is_instrumented_imports_are_let_be() -> None:
    """Nothing is put into the list of finders, and no child inherits a mark."""
    before, environ = list(sys.meta_path), dict(os.environ)
    log_uninstrumented(environ, Guard(Health()))
    assert sys.meta_path == before
    assert environ == os.environ


def test_what_fails_is_counted_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata that cannot be read keeps no program from starting."""

    def broken(_: str) -> None:
        raise OSError("broken")

    monkeypatch.setattr("otel_posthog.setup.frameworks.distribution", broken)
    monkeypatch.setattr(Guard, "reraise", False)
    health = Health()
    log_uninstrumented({}, Guard(health))
    assert health.snapshot() == {(FAULT, "frameworks:OSError"): 1}
