"""The environment that a program would start in: what is set where, and what of it makes model calls fail."""
