"""What tests start for real: Synapse, PostgreSQL, Redis."""
