"""`python -m keyguard` is the same as `keyguard`."""

import sys

from keyguard.cli import main

sys.exit(main())
