"""An OAuth 2.0 authorization server for Matrix, inside Synapse."""

__version__ = "0.1.0"
