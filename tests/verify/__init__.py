"""Tests of asking providers about keys."""
