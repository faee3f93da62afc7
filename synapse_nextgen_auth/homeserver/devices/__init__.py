"""Matrix devices, and what goes with them."""
