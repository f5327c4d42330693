"""Puts a plan and its verdicts into words for a person, in English or Chinese."""

from __future__ import annotations

from collections import Counter

from keyguard.lang.verify import texts
from keyguard.leaks import VERDICTS
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyguard.leaks import Verdict
    from keyguard.verify.planning import Request


def say_plan(requests: Iterable[Request], lang: str) -> str:
    """Say how many keys will be sent to which hosts, and why others will not; several lines without the last newline.

    Hosts are plain ASCII names, and nothing of a key is said.
    """
    said = texts(lang)
    asked: Counter[tuple[str, ...]] = Counter()
    unasked: Counter[str] = Counter()
    for request in requests:
        if request.asks:
            asked[request.hosts] += 1
        else:
            unasked[request.why] += 1
    lines = [said.say("plan.head", count=asked.total()) if asked else said.say("plan.none")]
    for hosts, count in sorted(asked.items(), key=lambda item: (-item[1], item[0])):
        first, *others = hosts
        where = said.say("plan.then", host=first, others=said.say("plan.join").join(others)) if others else first
        lines.append("  " + said.say("plan.to", count=count, hosts=where))
    if unasked:
        lines.append(said.say("plan.unasked", count=unasked.total()))
        for why, count in sorted(unasked.items(), key=lambda item: (-item[1], item[0])):
            lines.append("  " + said.say("plan.why", count=count, why=said.say(f"why.{why}", host="", status="")))
    return "\n".join(lines)


def say_verdict(verdict: Verdict, lang: str) -> str:
    """Say what came of asking about one key, with what is left of its quota, on one line."""
    said = texts(lang)
    text = said.say("verdict", state=said.say(f"state.{verdict.state}"), why=verdict.reason)
    if not verdict.limits:
        return text
    told = said.say("plan.join").join(f"{name} {value}" for name, value in verdict.limits)
    return said.say("verdict.limits", verdict=text, limits=told)


def say_count(verdicts: Iterable[Verdict], lang: str) -> str:
    """Say how many keys live, are restricted, dead or unknown; empty for none."""
    said = texts(lang)
    counts = Counter(verdict.state for verdict in verdicts)
    return said.say("plan.join").join(
        said.say(f"count.{state}", count=counts[state]) for state in VERDICTS if counts[state]
    )


def say_reach(reach: Iterable[str], lang: str) -> str:
    """Say what a key opens, from the words of `Provider.reach_of`."""
    said = texts(lang)
    return said.say("reach.join").join(said.say(f"reach.{name}") for name in reach)
