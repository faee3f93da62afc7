"""What is raised where another module does not answer."""


class NoAnswer(Exception):
    """Another module raised something, took too long, or answered what cannot be shown."""
