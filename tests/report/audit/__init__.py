"""Tests of the reports of an audit."""
