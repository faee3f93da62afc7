"""`synapse-nextgen-auth doctor`: looks at a running server from outside and inside."""
