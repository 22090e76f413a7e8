"""Blocks of `user_context`: each ends its own identity and no other, in whatever order and wherever it is left."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
from opentelemetry import context as context_api
from telemetry import Telemetry

from otel_posthog import user_context
from otel_posthog.policy import CollectionPolicy


@pytest.fixture
def app(caplog: pytest.LogCaptureFixture) -> Iterator[Telemetry]:
    """An app's telemetry; OpenTelemetry has nothing to say of contexts that could not be detached."""
    with Telemetry() as made:
        yield made
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []


def who(app: Telemetry) -> str:
    """Return who an event of now is about, or that it is withheld."""
    app.events.clear()
    app.logger.emit(event_name="analytics.e")
    return str(app.only["distinct_id"]) if app.events else "withheld"


def alices(consent: bool | None = None) -> Iterator[None]:
    """Yield inside a block of alice's."""
    with user_context("alice", consent=consent):
        yield
        yield


async def alices_later(consent: bool | None = None) -> AsyncIterator[None]:
    """Yield inside a block of alice's."""
    with user_context("alice", consent=consent):
        yield
        yield


@pytest.mark.parametrize("consent", [True, False])
def test_an_asynchronous_generator_that_is_left_early_ends_its_block_when_the_loop_finalises_it(
    consent: bool, app: Telemetry
) -> None:
    """From then on nobody is alice, here and in tasks and threads that begin later; her consent is gone with her."""
    found: list[str] = []

    async def later() -> None:
        found.append(who(app))

    async def main() -> None:
        async for _ in alices_later(consent=consent):
            found.append(who(app))
            break
        gc.collect()
        for _ in range(3):
            await asyncio.sleep(0)
        await later()
        await asyncio.create_task(later())
        await asyncio.to_thread(lambda: found.append(who(app)))
        with user_context("bob"):
            await later()
        await later()

    asyncio.run(main())
    assert found == ["alice" if consent else "withheld", *["installation-1"] * 3, "bob", "installation-1"]


def test_one_that_nobody_finalises_ends_with_its_loop(app: Telemetry) -> None:
    """`asyncio.run` closes all that are left."""

    async def main() -> None:
        left = alices_later()
        await left.__anext__()
        main.left = left  # type: ignore[attr-defined]

    context = contextvars.copy_context()
    context.run(asyncio.run, main())
    assert context.run(who, app) == who(app) == "installation-1"


@pytest.mark.parametrize("consent", [True, False])
def test_a_generator_closed_inside_anothers_block_ends_its_own(consent: bool, app: Telemetry) -> None:
    """Bob stays bob and what he said of consent holds; after his block nobody is alice again."""
    generator = alices(consent=True)
    next(generator)
    assert who(app) == "alice"
    with user_context("bob", consent=consent):
        generator.close()  # type: ignore[attr-defined]
        assert who(app) == ("bob" if consent else "withheld")
        with user_context(session_id="s"):
            assert who(app) == ("bob" if consent else "withheld")
    assert who(app) == "installation-1"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_blocks_may_be_left_in_any_order(order: tuple[int, ...], app: Telemetry) -> None:
    """Whoever is left acts: the innermost block that is not over."""
    names = ["ada", "bob", "cleo"]
    stacks = [ExitStack() for _ in names]
    for name, stack in zip(names, stacks, strict=True):
        stack.enter_context(user_context(name))
    alive = dict(enumerate(names))
    for each in order:
        stacks[each].close()
        del alive[each]
        assert who(app) == (alive[max(alive)] if alive else "installation-1")


def test_a_denial_ends_with_its_block_in_any_order_too(app: Telemetry) -> None:
    """The block around it is over first; what was said in that is gone with it."""
    outer, inner = ExitStack(), ExitStack()
    outer.enter_context(user_context("ada", consent=False))
    inner.enter_context(user_context(session_id="s"))
    assert who(app) == "withheld"
    outer.close()
    assert who(app) == "installation-1"
    inner.close()
    assert who(app) == "installation-1"


def test_a_block_left_in_another_task_or_thread_ends_where_it_was_entered(app: Telemetry) -> None:
    """Where the context cannot be reset, what it says is over."""
    for run in (threaded, contextvars.copy_context().run):
        stack = ExitStack()
        stack.enter_context(user_context("ada"))
        run(stack.close)
        assert who(app) == "installation-1"


def test_what_started_inside_a_block_goes_on_in_it(app: Telemetry) -> None:
    """A thread or task that outlives its block, which was left as it should be, is the same user's; a denial too."""
    with user_context("ada"):
        ada = contextvars.copy_context()
    with user_context("bob", consent=False):
        bob = contextvars.copy_context()
    assert who(app) == "installation-1"
    assert (ada.run(who, app), bob.run(who, app)) == ("ada", "withheld")


def test_the_context_is_what_it_was(app: Telemetry) -> None:
    """A block that is left as it should be leaves nothing behind."""
    before = context_api.get_current()
    for _ in alices():
        pass
    with user_context("ada"), user_context("bob"):
        pass
    assert context_api.get_current() is before


def test_a_span_keeps_who_started_it_though_the_block_is_over(app: Telemetry) -> None:
    """Also where that was left in a wrong order."""
    generator = alices()
    next(generator)
    span = app.tracer.start_span("op", attributes={"analytics.event": "e"})
    with user_context("bob"):
        generator.close()  # type: ignore[attr-defined]
    span.end()
    assert app.only["distinct_id"] == "alice"


def test_a_block_may_be_a_decorator(app: Telemetry) -> None:
    """Entered with each call, and not where the function is made."""

    @user_context("ada")
    def act() -> str:
        return who(app)

    assert [who(app), act(), act(), who(app)] == ["installation-1", "ada", "ada", "installation-1"]


CONSENTS = [
    ("ada", True, None, None, "ada", True),
    ("ada", True, "bob", None, "bob", False),
    ("ada", True, "bob", True, "bob", True),
    ("ada", None, None, True, "ada", True),
    (None, True, None, None, "installation-1", True),
    (None, True, "ada", None, "ada", True),
    ("ada", True, "bob", False, "bob", False),
    ("ada", False, None, True, "ada", False),
    ("ada", False, "bob", True, "bob", True),
    (None, False, "bob", True, "bob", False),
]


@pytest.mark.parametrize(("outer", "outer_said", "inner", "inner_said", "sent_as", "is_sent"), CONSENTS)
def test_consent_belongs_to_the_id_it_was_given_with(  # noqa: PLR0917 - the columns
    outer: str | None, outer_said: bool | None, inner: str | None, inner_said: bool | None, sent_as: str, is_sent: bool
) -> None:
    """Another user needs one of their own; one that names nobody is of who acts there, else of whoever comes."""
    with (
        Telemetry(collection=CollectionPolicy(consent_required=True)) as app,
        user_context(outer, consent=outer_said),
        user_context(inner, consent=inner_said),
    ):
        assert who(app) == (sent_as if is_sent else "withheld")


@pytest.mark.parametrize("key", ["analytics.user.id", "user.id", "enduser.id", "posthogDistinctId"])
def test_an_items_own_user_is_not_covered_by_anothers_consent(key: str) -> None:
    """As with `capture(distinct_id=...)`: a log record, a span and a span event that name somebody else."""
    with Telemetry(collection=CollectionPolicy(consent_required=True)) as app, user_context("ada", consent=True):
        for user in ("ada", "bob-2222"):
            app.logger.emit(event_name="analytics.log", attributes={key: user})
            app.tracer.start_span("op", attributes={"analytics.event": "span", key: user}).end()
            with app.tracer.start_as_current_span("op") as span:
                span.add_event("analytics.event", {key: user})
            with app.tracer.start_as_current_span("op", attributes={"analytics.consent": True}) as span:
                span.add_event("analytics.of_span", {key: user})
    assert [each["distinct_id"] for each in app.events] == ["ada"] * 4
    assert app.dropped == {"consent": 4}


def threaded(do: Callable[[], object]) -> None:
    """Do something in a thread, in a copy of the context that is here."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(do,))
    thread.start()
    thread.join()
