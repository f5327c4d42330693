"""The one error a user can cause: everything else that escapes is a bug in keyguard."""

from __future__ import annotations


class UsageError(Exception):
    """Wrong usage or configuration, or a named path that could not be read: exit code 2.

    The message names the file or option that is wrong and the remedy; it never holds a key.
    """
