"""What the catalogue claims about SDKs and HTTP libraries, held against the real packages."""
