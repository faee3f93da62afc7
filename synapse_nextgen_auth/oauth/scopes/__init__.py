"""Scopes: how they are written, and what each of them allows."""
