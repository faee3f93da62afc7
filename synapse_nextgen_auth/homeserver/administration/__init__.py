"""What administrators do by the admin API: each thing as Synapse's own admin API does it."""
