"""The benchmark `gateway_load`: how many events a second one gateway process on one core takes, and what two cost.

The gateway has one core for itself; the load and the server in PostHog's place share the others. Product events come in
as OTLP/HTTP in protobuf, go through filters and spool, and out to that server, which answers as Capture V1 does.
"""

from benchmarks.gateway_load.benchmark import NAME, ON_DEMAND, add_arguments, run

__all__ = ["NAME", "ON_DEMAND", "add_arguments", "run"]
