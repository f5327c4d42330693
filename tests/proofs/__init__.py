"""Proofs of the autofix on whole programs: what they send, what a crash leaves, what real code makes of it."""
