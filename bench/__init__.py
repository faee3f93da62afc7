"""Paired benchmarks: our module against stock Synapse, in one run on one machine."""
