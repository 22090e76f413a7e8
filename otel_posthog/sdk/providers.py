"""Providers: what they hold, what may stand in front of them, and when the program sets them.

What a provider, a processor or an exporter really is, is the program's or a distribution's to choose: what is asked of
one here raises nothing, and a private name that is gone counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import trace
from opentelemetry._logs import _internal as logs_api
from opentelemetry.metrics import _internal as metrics_api

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler

_Kind = TypeVar("_Kind")


def rewire_sampler(provider: TracerProvider, wrap: Callable[[Sampler], Sampler]) -> None:
    """Put `wrap(sampler)` in the place of the provider's sampler, and of the sampler of every tracer made before.

    Where an SDK does not list its tracers (before 1.41), those made before set-up keep the sampler they have.
    """
    wrapped = provider.sampler = wrap(provider.sampler)
    for tracer in getattr(provider, "_tracers", {}).values():
        tracer.sampler = wrapped


def span_processors(provider: object) -> tuple[object, ...] | None:
    """Return the provider's span processors; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_active_span_processor", "_span_processors")


def log_processors(provider: object) -> tuple[object, ...] | None:
    """Return the provider's log record processors; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_multi_log_record_processor", "_log_record_processors")


def metric_readers(provider: object) -> tuple[object, ...] | None:
    """Return the provider's metric readers; None where this SDK keeps them elsewhere."""
    return _kept(provider, "_measurement_consumer", "_reader_storages")


def _kept(provider: object, holder_name: str, list_name: str) -> tuple[object, ...] | None:
    items = getattr(getattr(provider, holder_name, None), list_name, None)
    return None if items is None else tuple(items)


def add_past_provider(provider: object, holder_name: str, add_name: str, item: object) -> None:
    """Add a processor to what the provider holds them in, not by the provider, which may drop its own when one comes.

    Where this SDK holds them elsewhere it is the public way.
    """
    add = safe_getattr(safe_getattr(provider, holder_name), add_name) or getattr(provider, add_name)
    add(item)


def prepare_added(provider: object, add_name: str, prepare: Callable[[Any], None]) -> None:
    """Have `prepare(item)` called before whatever is added to `provider` later by its public method `add_name`."""
    call_before(provider, add_name, prepare)


def wrap_exporter(holder: object, wrap: Callable[[Any], Any], prepare: Callable[[Any], None]) -> bool:
    """Put `wrap(exporter)` in the place of each exporter that a processor holds, itself or by processors inside it.

    Args:
        holder: The processor.
        wrap: Returns what is to stand in an exporter's place.
        prepare: Called with each processor that is added later to one inside, before it is.

    Returns:
        False when no exporter was found, nor a place for one: a processor of the app's own making.
    """
    found = False
    for each in _inside(holder, set()):
        for name in _ADD_NAMES:
            found |= call_before(each, name, prepare)
        kept_at = _exporter_name(each)
        if kept_at is not None:
            setattr(each, kept_at, wrap(getattr(each, kept_at)))
            found = True
    return found


def parts_of(holder: object) -> Iterator[object]:
    """Yield a processor, the processors inside it, and their exporters."""
    for each in _inside(holder, set()):
        yield each
        yield from (part for part in (safe_getattr(each, name) for name in _EXPORTER_NAMES) if part is not None)


# `_batch_processor` is the SDK's; the others are how distributions (logfire) and the SDK hold processors in processors.
_EXPORTER_NAMES = ("_exporter", "span_exporter")
_INSIDE_NAMES = ("_batch_processor", "processor", "_processor", "deferred_processor")
_LIST_NAMES = ("_span_processors", "_log_record_processors")
_ADD_NAMES = ("add_span_processor", "add_log_record_processor")


def _inside(holder: object, seen: set[int]) -> Iterator[object]:
    """Yield `holder` and the processors inside it, each once, whatever circles there are."""
    if holder is None or id(holder) in seen:
        return
    seen.add(id(holder))
    yield holder
    for each in _held(holder):
        yield from _inside(each, seen)


def _held(holder: object) -> list[object]:
    held = [each for each in (safe_getattr(holder, name) for name in _INSIDE_NAMES) if each is not None]
    return held + [each for name in _LIST_NAMES for each in safe_getattr(holder, name) or ()]


def _exporter_name(holder: object) -> str | None:
    """Return where `holder` keeps an exporter; one that hands on to others only shows that of one of them."""
    if _held(holder):
        return None
    return next((name for name in _EXPORTER_NAMES if safe_getattr(holder, name) is not None), None)


def beneath(provider: object, kind: type[_Kind]) -> _Kind | None:
    """Return the SDK provider that `provider` is, or that a distribution's proxies around it hold; else None."""
    return next((each for each in _unwrapped(provider) if isinstance(each, kind)), None)


def foreign(provider: object) -> object | None:
    """Return the provider that `provider` is, or hides, if it is neither the SDK's nor one of the API's; else None."""
    *_, last = _unwrapped(provider)
    # An app's subclass of the SDK's is the SDK's; one of the API's alone is of other making.
    is_sdk = any(each.__module__.startswith("opentelemetry.sdk.") for each in type(last).__mro__)
    return None if is_sdk or type(last).__module__.startswith("opentelemetry.") else last


def _unwrapped(provider: object) -> Iterator[object]:
    """Yield `provider` and what is inside it, one in the other."""
    for _ in range(_MAX_PROXIES):
        yield provider
        inside = (safe_getattr(provider, name) for name in _PROXY_NAMES)
        provider = next((each for each in inside if each is not None), None)
        if provider is None:
            return


# logfire's proxies have `provider`; the second is what others would call it.
_PROXY_NAMES, _MAX_PROXIES = ("provider", "_provider"), 5


def on_provider_set(see: Callable[[object], None]) -> bool:
    """Have `see(provider)` called before the program makes a provider the global one.

    Returns:
        False where this API sets one of the three in another way; it is then not seen when it comes after set-up.
    """
    places = ((trace, "set_tracer_provider"), (logs_api, "set_logger_provider"), (metrics_api, "set_meter_provider"))
    # The public functions call these; who imported one of them by name still gets there. Else at least the public ones.
    done = [call_before(module, f"_{name}", see) or call_before(module, name, see) for module, name in places]
    return all(done)


def on_provider_replaced(proxy: object, see: Callable[[object], None]) -> None:
    """Have `see(provider)` called before a distribution gives its proxy another provider, as logfire does."""
    for name in ("set_provider", "set_meter_provider"):
        call_before(proxy, name, see)


def safe_getattr(item: object, name: str) -> Any:
    """Return an attribute of any object, or None where it has none or where asking for it raises."""
    try:
        return getattr(item, name, None)
    except Exception:
        return None


def call_before(owner: object, name: str, see: Callable[[Any], None]) -> bool:
    """Have `see(item)` called before the method `name` of `owner` is; return False where it has none."""
    call = safe_getattr(owner, name)
    if call is None:
        return False
    # `add_span_processor(span_processor)`, `_set_tracer_provider(tracer_provider)`: all of them are made like that.
    keyword = name.lstrip("_").partition("_")[2]

    def see_and_call(*args: Any, **kwargs: Any) -> Any:
        if args or kwargs:
            see(args[0] if args else kwargs.get(keyword, next(iter(kwargs.values()))))
        return call(*args, **kwargs)

    setattr(owner, name, see_and_call)
    return True
