"""The audit of repositories with their history."""
