"""Who sends a Matrix request: our tokens, their sessions, and Synapse's auth checker."""
