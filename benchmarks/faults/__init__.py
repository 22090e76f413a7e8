"""The benchmark `faults`: what is lost and what comes twice while everything goes wrong.

A program of its own emits numbered product events through the real set-up; a real server fails in a given way, or the
program is killed; a second process then adopts the spool. The ledger compares what was emitted (the call that ends the
span had returned) with what arrived, by uuid. `tests/faults/` runs the same scenarios, shortened.
"""

from benchmarks.faults.benchmark import NAME, add_arguments, run

__all__ = ["NAME", "add_arguments", "run"]
