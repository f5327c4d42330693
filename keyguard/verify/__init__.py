"""Asks providers whether leaked keys live: `plan` says what would be sent where, `verify` sends it."""

from __future__ import annotations

from keyguard.verify.asking import Terms, verify
from keyguard.verify.planning import Ask, Question, Request, plan
from keyguard.verify.words import say_count, say_plan, say_reach, say_verdict

__all__ = [
    "Ask",
    "Question",
    "Request",
    "Terms",
    "plan",
    "say_count",
    "say_plan",
    "say_reach",
    "say_verdict",
    "verify",
]
