"""What somebody proves beside the first thing: what there is, who needs it, and when it is enough."""
