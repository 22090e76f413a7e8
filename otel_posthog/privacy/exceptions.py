"""The gate for exceptions: what an event may say of one, whatever library or app made the event.

Comes in: the properties of a translated event, with `$exception_list` as OpenTelemetry, posthog-python or an app wrote
it. Goes out: only what the policy's mode allows. An allow-list: everything that is not named here is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from otel_posthog.errors import DropEvent
from otel_posthog.model import EXCEPTION_EVENT, Attributes, Receipt
from otel_posthog.policy import ExceptionMode
from otel_posthog.policy.checks import NEVER_SENT
from otel_posthog.posthog.properties import MAX_EXCEPTIONS, MAX_FRAMES
from otel_posthog.regex import regex

NEVER = NEVER_SENT
"""Attributes that are not sent, whatever the allow-list says."""

_PREFIX, _LIST, _LEVEL = "$exception", "$exception_list", "$exception_level"
# The name of a type in common languages (`shop.Order.Invalid`, `*errors.errorString`, `Foo::Bar`, `List<T>`); no
# address of a page.
_TYPE = regex(r"(?![0-9]|\w*://)[\w*&$][\w.$:<>*&/\\-]{0,399}", re.ASCII)
_NAME = regex(r"[\w$<>.:~-]{1,200}")
_PROGRAM = regex(r"[\w-]{1,100}(?:\.pyw?)?")
_LEVELS = frozenset({"fatal", "error", "warning", "log", "info", "debug"})
_MECHANISM = ("type", "handled", "synthetic", "exception_id", "parent_id", "source", "is_exception_group")
_WORDS = frozenset({"generic", "chained", "cause", "context", "member"})
_UNKNOWN = "Exception"


def limit_exceptions(
    name: str, properties: Attributes, mode: ExceptionMode, receipt: Receipt, hides: Callable[[str], bool]
) -> Attributes:
    """Return `properties` with no more of an exception than `mode` allows; the same object where there is none.

    Args:
        name: The event's name.
        properties: The event's properties, not filtered yet.
        mode: The policy's.
        receipt: Gets what went, by the rule `exceptions`.
        hides: Whether the detectors find something in a text; asked of a type together with its module, since neither
            half of a token looks like one.

    Raises:
        DropEvent: `exceptions_off`, for a `$exception` where the policy wants none.
    """
    if name == EXCEPTION_EVENT and mode is ExceptionMode.OFF:
        raise DropEvent("exceptions_off")
    if not _has_exception(properties):
        return properties
    kept: dict[str, object] = {}
    for key, value in properties.items():
        if not key.startswith(_PREFIX) or (key == _LEVEL and isinstance(value, str) and value in _LEVELS):
            kept[key] = value
        elif key == _LIST and mode is not ExceptionMode.OFF and isinstance(value, (list, tuple)):
            kept[key] = [_exception(each, mode, hides) for each in value[:MAX_EXCEPTIONS] if isinstance(each, Mapping)]
            if kept[key] != list(value):
                receipt.add(key, "exceptions", "replaced")
        else:
            receipt.add(key, "exceptions", "removed")
    return kept


def _has_exception(properties: Attributes) -> bool:
    # For every property of every event, where a loop takes half the time of `any` around a generator.
    for key in properties:  # noqa: SIM110
        if key.startswith(_PREFIX):
            return True
    return False


def _exception(given: Mapping[str, object], mode: ExceptionMode, hides: Callable[[str], bool]) -> dict[str, object]:
    module, name = _class_of(given, hides)
    kept: dict[str, object] = {"type": name, "value": ""}
    mechanism = given.get("mechanism")
    if isinstance(mechanism, Mapping):
        kept["mechanism"] = {key: mechanism[key] for key in _MECHANISM if _is_plain(mechanism.get(key))}
    if module:
        kept["module"] = module
    stacktrace = given.get("stacktrace")
    if mode is ExceptionMode.FRAMES and isinstance(stacktrace, Mapping):
        frames = stacktrace.get("frames")
        own = list(_own_frames(frames)) if isinstance(frames, (list, tuple)) else []
        if own:
            kept["stacktrace"] = {"type": "raw", "frames": own[-MAX_FRAMES:]}
    return kept


def _class_of(given: Mapping[str, object], hides: Callable[[str], bool]) -> tuple[str | None, str]:
    """Return module and name of the class, if together they name one."""
    module, name = given.get("module"), given.get("type")
    whole = f"{module}.{name}" if module else name
    if not isinstance(name, str) or _matching(_TYPE, whole) is None or hides(str(whole)):
        return None, _UNKNOWN
    return _matching(_NAME, module), name


def _own_frames(frames: Iterable[object]) -> Iterable[dict[str, object]]:
    for frame in frames:
        if isinstance(frame, Mapping) and frame.get("in_app") is True:
            module, function = _matching(_NAME, frame.get("module")), _matching(_NAME, frame.get("function"))
            if module and function:
                yield _frame(frame, module, function)


def _frame(given: Mapping[str, object], module: str, function: str) -> dict[str, object]:
    lineno = given.get("lineno")
    return {
        "platform": "python",
        "filename": _filename(module, given.get("filename")),
        "function": function,
        "module": module,
        "lineno": lineno if isinstance(lineno, int) else None,
        "in_app": True,
    }


def _filename(module: str, given: object) -> str:
    """Return the file name that follows from the module's name; any other path might begin in a home directory."""
    path = module.replace(".", "/")
    if module == "__main__":
        return _matching(_PROGRAM, given) or path
    return f"{path}/__init__.py" if given == f"{path}/__init__.py" else f"{path}.py"


def _is_plain(value: object) -> bool:
    return isinstance(value, (bool, int)) or (isinstance(value, str) and value in _WORDS)


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
