"""The command line's front door."""


def run() -> None:
    """Run the command that was asked for."""
