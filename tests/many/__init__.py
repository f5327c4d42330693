"""Audits of many repositories."""
