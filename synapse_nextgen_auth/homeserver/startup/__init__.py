"""What must hold before the module starts, and how Synapse is changed then."""
