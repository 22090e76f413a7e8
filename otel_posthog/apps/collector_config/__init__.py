"""A policy compiled to processors of an OpenTelemetry Collector, so that one file rules apps and Collector.

What the Collector cannot do as exactly as the filters here, it overdoes on the operational side (a long number goes
whole); on the product side it leaves that to the gateway. It never lets through what the filters here would take.
"""
