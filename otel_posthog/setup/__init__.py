"""Set-up: the two doors, and what they attach to the providers."""
