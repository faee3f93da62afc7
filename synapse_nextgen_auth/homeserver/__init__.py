"""Everything that knows Synapse's internals, and nothing else does."""
