"""The endpoints clients speak to."""
