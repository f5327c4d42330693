"""`python -m keyguard` is the same as `keyguard`."""

from keyguard.cli import run

run()
