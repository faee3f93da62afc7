"""Chores that one process does for all, in small bites."""
