"""PostHog's format: how an event is encoded, the requests that carry events, and what the responses mean.

Values in, values out: nothing here waits, keeps anything, or knows a policy. Above it stand the privacy stage, which
has an event encoded, and delivery, which has it sent.
"""
