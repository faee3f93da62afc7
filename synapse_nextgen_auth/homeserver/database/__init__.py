"""The database as Synapse runs it: its schema, what is in memory of it, who hears of changes."""
