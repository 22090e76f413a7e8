"""The benchmark `soak`: whether memory, threads, file handles and disk grow while events flow for a long time.

One program emits at a steady rate, the server fails now and then, and what the program holds is read once a second from
outside. A slope is made over the second half of the run, so that what a start needs is not taken for growth.
"""

from benchmarks.soak.benchmark import NAME, ON_DEMAND, add_arguments, run

__all__ = ["NAME", "ON_DEMAND", "add_arguments", "run"]
