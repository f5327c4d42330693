"""Tests of reading Python."""
