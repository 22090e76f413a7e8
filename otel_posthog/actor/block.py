"""A block of `user_context`: who acts inside it, of what it and the blocks around it say that are not over."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar

from opentelemetry import context as context_api
from opentelemetry.context import Context

from otel_posthog.actor.attachment import Attached, Attachment
from otel_posthog.actor.statement import NOBODY, Statement, come_to_act, merged
from otel_posthog.model import ContextIdentity

BLOCK_KEY = context_api.create_key("otel-posthog-identity")

# A context that an instrumentation makes of a request's headers has lost the blocks around it.
_entered: ContextVar[Block | None] = ContextVar("otel-posthog-block", default=None)


class Block(Attached):
    """What one block says.

    Args:
        around: The block around it.
        said: What it says itself.
        in_force: Who acts where no block says it.

    Attributes:
        around: As given.
        said: As given.
        in_force: As given.
    """

    __slots__ = ("_merged", "around", "in_force", "said")

    def __init__(self, around: Block | None, said: Statement, in_force: str | None) -> None:
        self.around, self.said, self.in_force, self.is_over = around, said, in_force, False
        self._merged = come_to_act(merged((around and around.identity()) or NOBODY, said, in_force))

    def identity(self) -> ContextIdentity | None:
        """Return who acts inside; None where it and all around it are over."""
        blocks = list(self._chain())
        if not any(each.is_over for each in blocks):
            return self._merged
        found: ContextIdentity | None = None
        for each in reversed(blocks):
            if not each.is_over:
                found = merged(found or NOBODY, each.said, each.in_force)
        return found

    def _chain(self) -> Iterator[Block]:
        block: Block | None = self
        while block is not None:
            yield block
            block = block.around


def enter(said: Statement, in_force: str | None) -> Attachment:
    """Say `said` of all that starts from here on.

    Args:
        said: What is said; what is not is taken from the block around it.
        in_force: Who acts where no block says it.
    """
    around = context_api.get_value(BLOCK_KEY)
    block = Block(around if isinstance(around, Block) else None, said, in_force)
    inside = context_api.set_value(BLOCK_KEY, block)
    return Attachment(block, inside, context_api.attach(inside), _entered.set(block))


def block_identity(context: Context | None = None) -> ContextIdentity | None:
    """Return who acts in the blocks of `context`, or of the current one."""
    # At each span's start, where most are in no block.
    block = (context_api.get_current() if context is None else context).get(BLOCK_KEY)
    return None if block is None or not isinstance(block, Block) else block.identity()


def running_identity(context: Context) -> ContextIdentity | None:
    """Return who acts in the blocks around what runs here, where `context` knows of none; else None."""
    if context.get(BLOCK_KEY) is not None:
        return None
    block = _entered.get()
    return None if block is None else block.identity()
