"""Grants: what a person is asked for, and what the token endpoint takes for it."""
