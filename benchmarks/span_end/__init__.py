"""The benchmark `span_end`: what one span, or one event, costs the thread that makes it.

Everything runs in this process, with the SDK's own provider and batch processor; nothing is mocked but the exporter,
which throws spans away. The programs take turns in short blocks, so that a slower machine is slower for all of them.
"""

from benchmarks.span_end.benchmark import NAME, add_arguments, run

__all__ = ["NAME", "add_arguments", "run"]
