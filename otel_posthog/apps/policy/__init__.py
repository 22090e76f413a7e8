"""`otel-posthog policy`: check a policy file, show what is in force, print the schema."""
