"""The database as Synapse runs it: its schema, its upkeep, what is in memory of it."""
