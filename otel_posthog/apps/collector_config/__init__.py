"""The policy as processors of an OpenTelemetry Collector, so that one file rules both places.

What the Collector cannot do as exactly as the filters here, it does too much of on the operational side (a long number
goes whole), and on the way to the gateway leaves out or leaves to the gateway; it never lets it pass instead.
"""
