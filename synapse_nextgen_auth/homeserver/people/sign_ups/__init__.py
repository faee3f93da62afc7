"""What Synapse asks of a new account, and the account that it makes."""
