"""Text to keys: shapes and whose they are, stand-ins, other services' secrets, and what a single key is."""
