"""Tests of `keyguard doctor`."""
