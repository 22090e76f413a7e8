"""A virtual environment with all that is installed for the tests, but for some distributions.

What is left out is a distribution's metadata, which is what says that it is installed; its files stay where they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import venv
from pathlib import Path

TIMEOUT_S = 120
_LAUNCH = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"


class Environment:
    """Where programs run without what is left out.

    Args:
        folder: Where it is made.
        left_out: Names of distributions, as their metadata folders begin.
    """

    def __init__(self, folder: Path, *left_out: str) -> None:
        venv.create(folder, symlinks=True)
        self.python = folder / "bin" / "python"
        self.packages = next((folder / "lib").glob("python*/site-packages"))
        self._folder = folder
        for each in Path(sysconfig.get_path("purelib")).iterdir():
            if each.name.rpartition(".dist-info")[0].partition("-")[0] not in left_out:
                (self.packages / each.name).symlink_to(each)

    def run(self, *words: str, is_instrumented: bool = False, **environ: str) -> str:
        """Return what a program writes, on either stream; it collects, and what it sends goes nowhere.

        Args:
            words: Arguments for Python.
            is_instrumented: Run it as `opentelemetry-instrument` does.
            environ: Further variables.
        """
        launch = ["-c", _LAUNCH, str(self.python)] if is_instrumented else []
        done = subprocess.run(
            [str(self.python), *launch, *words],
            env={
                **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
                "PATH": os.pathsep.join([str(self.python.parent), os.environ["PATH"]]),
                "POSTHOG_API_KEY": "phc_test",
                "POSTHOG_HOST": "http://127.0.0.1:1",
                "OTEL_POSTHOG_STATE_DIR": str(self._folder / "state"),
                **{f"OTEL_{each}_EXPORTER": "none" for each in ("TRACES", "LOGS", "METRICS")},
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "asgi,celery,dbapi,logging,requests,sqlite3,threading,wsgi",
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def bare(folder: Path) -> Environment:
    """Return an environment with Flask, Django and FastAPI and none of their instrumentations."""
    return Environment(folder, *(f"opentelemetry_instrumentation_{name}" for name in ("flask", "django", "fastapi")))


CASES = """
import json, os, sys
import opentelemetry.sdk.trace, otel_posthog.setup.configure
for name, environ, code in json.loads(sys.argv[1]):
    print(f"== {name}", flush=True)
    child = os.fork()
    if not child:
        os.environ.update(environ)
        exec(code, {})
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, name
"""


def tried(environment: Environment, cases: dict[str, tuple[dict[str, str], str]]) -> dict[str, str]:
    """Return what each case writes: its code is run in a fork of one process, which has loaded us and no framework.

    Args:
        environment: Where.
        cases: Variables and code, by name.
    """
    out = environment.run("-c", CASES, json.dumps([[name, *each] for name, each in cases.items()]))
    return {name: said for name, _, said in (part.partition("\n") for part in out.split("== ")[1:])}
