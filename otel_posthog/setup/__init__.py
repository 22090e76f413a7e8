"""Set-up: the integrations, and what they attach to the providers."""
