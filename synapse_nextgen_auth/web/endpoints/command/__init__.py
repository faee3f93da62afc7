"""What an operator's command may ask the running server to do, and how it proves that it may."""
