"""Web frameworks without their instrumentation: a request has no span then, and what is set on it is lost.

`doctor` shows what is installed. A start logs what is in use, which is when it is imported: many programs have a
framework beside them that they never serve anything with. No framework is imported to find out.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import suppress
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from typing import Any, NamedTuple

from otel_posthog import environment_variables as env
from otel_posthog.errors import Guard
from otel_posthog.regex import regex
from otel_posthog.setup.log import is_shown_by_parent
from otel_posthog.switches import is_disabled, is_disabled_in_file

_log = logging.getLogger("otel_posthog")

# Inherited by what the program starts: the process that logged a framework, which is named at the end.
LOGGED = "OTEL_POSTHOG_TOLD_"

_ANY = "*"
_COUNTED = regex(r"-(\d+)$")


class Framework(NamedTuple):
    """A web framework.

    Attributes:
        name: Of its distribution, its package and its instrumentation's entry point.
        label: As people write it.
        serves: Whether who imports it is likely to answer requests with it; others import Starlette for its parts.
    """

    name: str
    label: str
    serves: bool = True

    @property
    def says(self) -> str:
        """What is the case where its instrumentation is not there."""
        lost = "a request gets no span, and analytics.* set on the current one is lost"
        return f"{self.label} is installed, its instrumentation is not: {lost}"

    @property
    def fix(self) -> str:
        """What to do then."""
        get = f"pip install opentelemetry-instrumentation-{self.name}, or opentelemetry-bootstrap -a install"
        return f"{get}; where it is meant so, add {self.name} to {env.DISABLED_INSTRUMENTATIONS}"


FRAMEWORKS = (Framework("flask", "Flask"), Framework("django", "Django"), Framework("fastapi", "FastAPI"))
STARLETTE = Framework("starlette", "Starlette", serves=False)


def uninstrumented(environ: Mapping[str, str]) -> Iterator[Framework]:
    """Yield the frameworks that are installed while their instrumentation is neither installed nor disabled.

    Args:
        environ: Says what is disabled.
    """
    yield from (each for each in _lacking() if not (_is_brought(each) or _is_meant_so(each, environ)))


def log_uninstrumented(environ: MutableMapping[str, str], guard: Guard) -> None:
    """Log for each such framework, once it is imported, that its instrumentation is missing; never raises.

    Args:
        environ: Of this process; the mark that keeps its children from logging it again is left in it.
        guard: Counts what fails.
    """
    try:
        awaited = {each.name: each for each in _lacking() if each.serves}
        if awaited and not is_disabled(_ANY, environ):
            watch = _Watch(awaited, environ, guard)
            for name in [each for each in awaited if each in sys.modules]:
                watch.log(name)
            watch.begin()
    except Exception as error:
        guard.caught("frameworks", error)


def _lacking() -> Iterator[Framework]:
    is_fastapi_here = _is_installed("fastapi")
    for each in FRAMEWORKS if is_fastapi_here else (*FRAMEWORKS, STARLETTE):
        if _is_installed(each.name) and not _is_installed(f"opentelemetry-instrumentation-{each.name}"):
            yield each


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _is_brought(framework: Framework) -> bool:
    """Return whether another distribution than OpenTelemetry's has the instrumentation, which takes milliseconds."""
    return bool(list(entry_points(group="opentelemetry_instrumentor", name=framework.name)))


def _is_meant_so(framework: Framework, environ: Mapping[str, str]) -> bool:
    return (
        is_disabled(_ANY, environ)
        or is_disabled(framework.name, environ)
        or is_disabled_in_file(framework.name, environ.get(env.CONFIG_FILE, ""))
    )


class _Watch(MetaPathFinder):
    """Sees frameworks being imported, and finds nothing itself.

    A framework is imported where a module inside of it is looked for: `find_spec("flask")` alone, as programs ask what
    is there, imports nothing. It stays in the list of finders, since others may be going through that.

    Args:
        awaited: What to log, by name.
        environ: As in `log_uninstrumented`.
        guard: Counts what fails.
    """

    def __init__(self, awaited: Mapping[str, Framework], environ: MutableMapping[str, str], guard: Guard) -> None:
        self._awaited, self._environ, self._guard = dict(awaited), environ, guard
        self._turns: dict[str, Any] = {}

    def begin(self) -> None:
        """Look at imports from now on, here and in children."""
        if self._awaited:
            sys.meta_path.insert(0, self)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(before=self._share)

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: Any = None) -> None:  # noqa: ARG002
        """Log it where `fullname` is inside of a framework that is being imported."""
        name = fullname.partition(".")[0]
        if name in self._awaited and name in sys.modules:
            self.log(name)

    def log(self, name: str) -> None:
        """Log it, unless another process of this program has, or it is meant so."""
        try:
            framework = self._awaited.pop(name, None)
            if framework is None or _is_brought(framework) or _is_meant_so(framework, self._environ):
                return
            is_first = self._is_first(name)
            # Also where a sibling logged it: what this one starts is not to log it again.
            self._environ[LOGGED + name.upper()] = f"{os.getpid()} {name}"
            if is_first:
                _log.warning("%s; %s", framework.says, framework.fix)
        except Exception as error:
            self._guard.caught("frameworks", error)

    def _is_first(self, name: str) -> bool:
        if is_shown_by_parent(LOGGED + name.upper(), name, self._environ) or not _is_first_started():
            return False
        return name not in self._turns or bool(self._turns[name].acquire(False))

    def _share(self) -> None:
        """Before a fork: have workers agree on which of them logs it, where each imports the framework."""
        with suppress(Exception):  # no such semaphores on this machine: each does
            from multiprocessing import get_context  # noqa: PLC0415 - it takes long, and many never fork

            for name in self._awaited.keys() - self._turns.keys():
                self._turns[name] = get_context("fork").Semaphore(1)


def _is_first_started() -> bool:
    """Return whether this is no worker, or the first of those that its parent starts anew, as uvicorn does."""
    processes = sys.modules.get("multiprocessing.process")
    if processes is None or processes.parent_process() is None:
        return True
    counted = _COUNTED.search(processes.current_process().name)
    return counted is None or counted.group(1) == "1"
