"""Accounts as Synapse knows them, and their passwords."""
