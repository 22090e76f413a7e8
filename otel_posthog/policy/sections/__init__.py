"""The sections of the policy file, one typed, immutable value each; their fields are the keys of the file."""
