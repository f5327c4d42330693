"""Reports, one test file a format."""
