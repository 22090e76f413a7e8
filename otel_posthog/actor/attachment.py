"""What is attached to the context for a while, and how it ends: the user of a block, the record of a request.

It is left where it was entered, in most cases. A generator that holds it may be closed inside of another, and an
asynchronous one in another task, when the context that it was entered in can no longer be reset. It is over then
wherever its context is still found; what was left as it should be goes on in the threads and tasks that started inside.
"""

from __future__ import annotations

from contextvars import Token
from typing import Any, NamedTuple

from opentelemetry import context as context_api
from opentelemetry.context import Context


class Attached:
    """What is found in a context.

    Attributes:
        is_over: Whether it was left otherwise than by going back to what was around it.
    """

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        self.is_over = False


class Attachment(NamedTuple):
    """What was attached, and what to go back to.

    Attributes:
        held: What is found inside.
        inside: The context inside.
        token: Of that context.
        here: Of the variable that has it where the context is lost.
    """

    held: Attached
    inside: Context
    token: Token[Context]
    here: Token[Any]


def leave(attachment: Attachment) -> None:
    """End one attachment and no other, wherever and in whatever order they are left."""
    held, inside, token, here = attachment
    try:
        # A token that cannot be reset is not where this was entered.
        here.var.reset(here)
        is_where_it_was_entered = context_api.get_current() is inside
    except ValueError:
        is_where_it_was_entered = False
    if is_where_it_was_entered:
        context_api.detach(token)
    else:
        held.is_over = True
