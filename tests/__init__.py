"""Tests say what keyguard does; `tests.keys` makes the keys they need."""
