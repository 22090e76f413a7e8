"""What the instrumentors of frameworks have in common: they hook into a package when that is first imported.

A framework that is not installed, or never imported, costs nothing and is not imported to find out. Nothing is raised:
an instrumentor that raises stops all that `opentelemetry-instrument` would load after it.

For pytest, as in `otel_posthog`: PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import ModuleType
from typing import Any, ClassVar

import wrapt
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]

from otel_posthog import environment_variables as env
from otel_posthog.actor.context import is_off_for_good
from otel_posthog.actor.request import count_fault
from otel_posthog.switches import is_disabled, is_disabled_in_file

Hook = Callable[[Any], None]
"""Called with a module that has been imported."""


class FrameworkInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """An instrumentor of a framework; `name` is its entry point. Disabled by its own name, and by `posthog`.

    It hooks into nothing where set-up came first and found that nothing is collected.

    It names no library that it instruments: one that is missing would disable every instrumentor of this distribution.
    """

    name: ClassVar[str]

    _is_on = False
    _awaited: frozenset[str] = frozenset()

    def hooks(self) -> Mapping[str, Hook]:
        """Return what to call once a module is imported, by the module's name."""
        raise NotImplementedError

    def unhook(self) -> None:
        """Undo what the hooks did."""
        raise NotImplementedError

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return no requirement."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Hook in; a second call, as a configuration file makes, does nothing."""
        if not self.is_instrumented_by_opentelemetry:
            super().instrument(**options)

    def uninstrument(self, **options: Any) -> None:
        """Undo that; a second call does nothing."""
        if self.is_instrumented_by_opentelemetry:
            super().uninstrument(**options)

    def _instrument(self, **_: Any) -> None:
        if is_off_for_good() or any(_is_disabled(each) for each in ("posthog", self.name)):
            return
        self._is_on = True
        for module, hook in self.hooks().items():
            self._await(module, hook)

    def _await(self, module: str, hook: Hook) -> None:
        if module not in self._awaited:
            self._awaited |= {module}
            wrapt.register_post_import_hook(partial(self._hook, hook), module)
        elif module in sys.modules:
            self._hook(hook, sys.modules[module])

    def _hook(self, hook: Hook, module: ModuleType) -> None:
        if not self._is_on:
            return
        try:
            hook(module)
        except Exception as error:
            count_fault(self.name, error)

    def _uninstrument(self, **_: Any) -> None:
        if self._is_on:
            self._is_on = False
            try:
                self.unhook()
            except Exception as error:
                count_fault(self.name, error)


def _is_disabled(name: str) -> bool:
    return is_disabled(name, os.environ) or is_disabled_in_file(name, os.environ.get(env.CONFIG_FILE, ""))
