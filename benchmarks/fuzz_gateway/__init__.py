"""The benchmark `fuzz_gateway`: malformed OTLP against a running gateway, for as long as it is told to.

A promise is broken by a status that is none of the documented ones, by no answer in time, by a process that ends or
writes a traceback, and by memory that grows.
"""

from benchmarks.fuzz_gateway.benchmark import NAME, ON_DEMAND, add_arguments, run

__all__ = ["NAME", "ON_DEMAND", "add_arguments", "run"]
