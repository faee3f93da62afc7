"""Clients as a running process knows them."""
