"""Identity providers of others, real ones, which Synapse's configuration names."""
