"""Tests of the moving of keys out of Python code."""
