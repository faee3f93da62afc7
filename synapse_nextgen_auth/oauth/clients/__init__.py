"""Clients: what they may register, who they are, and how they prove it (RFC 6749, RFC 7591)."""
