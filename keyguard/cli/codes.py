"""Exit codes: the contract with shells, hooks and CI."""

CLEAN = 0
FOUND = 1
USAGE = 2
BUG = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells count
