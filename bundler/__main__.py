"""Run the command line as ``python -m bundler``."""

from bundler.cli.main import run

if __name__ == "__main__":
    run()
