"""Interrupts a call where a signal handler or a finalizer could, at one point after the other."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import CodeType, FrameType
from typing import Any

# What lets a signal handler in, or makes something that may start the garbage collector. Not between reading a plain
# number and writing it back.
_LETS_IN = ("CALL", "RESUME", "JUMP", "BEFORE_WITH", "FOR_ITER", "BUILD", "POP_TOP", "YIELD", "SETUP_WITH", "STORE")


def interrupted(work: Callable[[], object], handler: Callable[[], object], number: int, within: Sequence[str]) -> bool:
    """Call `work`, and `handler` in the middle of it, on the same thread.

    Args:
        work: What is interrupted.
        handler: Called once.
        number: At which point, from 0 on.
        within: Parts of the names of source files; only there it is interrupted.

    Returns:
        Whether `work` has so many points.
    """
    left, last = number, dict[FrameType, int]()
    is_over = False

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left, is_over
        if event == "call":
            if is_over or not any(part in frame.f_code.co_filename for part in within):
                return None
            frame.f_trace_opcodes = True
        elif event == "opcode":
            before, last[frame] = last.get(frame, -1), frame.f_lasti
            if not is_over and (before < 0 or _names(frame.f_code).get(before, "").startswith(_LETS_IN)):
                left -= 1
                if left < 0:
                    is_over = True
                    handler()
        return trace

    before_it = sys.gettrace()
    # Python 3.12 tells of opcodes only if some frame asked for them before the trace was set.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before_it)
    return is_over


@cache
def _names(code: CodeType) -> dict[int, str]:
    return {each.offset: each.opname for each in dis.get_instructions(code)}
