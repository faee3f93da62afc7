"""Endpoints of the Client-Server API that are ours, or not as Synapse's."""
