"""`keyguard identify`: a key from standard input or a variable, never from the command line, to what is known of it."""

from __future__ import annotations

import os
import sys

from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.lang import Texts
    from keyguard.report.listings import Identity, Owner
    from keyguard.secrets import identify as known

_LONGEST = 65_536  # bytes read from standard input: no key is longer

_LEAST = 17  # characters of the shortest key


def read_key(name: str | None, question: str) -> str:
    """Give the key: from the variable `name`, else from standard input, which a terminal does not echo.

    The line end that `echo` and the Enter key add is not taken for a part of it.

    Raises:
        UsageError: there is no key; the message never quotes what was read.
    """
    if name is not None:
        value = os.environ.get(name)
        # Who gives the key itself where its name belongs must not see it in an error.
        shown = f"{name} " if (len(name) < _LEAST and name.isidentifier()) or _is_constant(name) else ""
        if value is None:
            msg = f"the environment variable {shown}given with --env is not set here; export it, or pipe the key in"
            raise UsageError(msg)
        if not value.strip():
            msg = f"the environment variable {shown}given with --env is empty; set it, or pipe the key in"
            raise UsageError(msg)
        return value
    if sys.stdin.isatty():
        import getpass  # noqa: PLC0415  # 5 ms, on a terminal only

        try:
            value = getpass.getpass(question, stream=sys.stderr)
        except EOFError:
            value = ""
    else:
        value = sys.stdin.buffer.read(_LONGEST).decode("utf-8", "replace")
    value = value.removesuffix("\n").removesuffix("\r")
    if not value.strip():
        msg = "there is no key on standard input; pipe one in, or name a variable with --env NAME"
        raise UsageError(msg)
    return value


def _is_constant(name: str) -> bool:
    """Tell a variable's name from a key: words in capitals."""
    from keyguard.secrets.placeholders import looks_random  # noqa: PLC0415  # for an error only

    return name.isidentifier() and name.isupper() and not looks_random(name)


def told(found: known.Identity, said: Texts) -> Identity:
    """Put what is known of a key into words."""
    from keyguard.report.listings import Identity  # noqa: PLC0415  # this command only

    owners = tuple(_owner(candidate, said) for candidate in found.candidates)
    notes = tuple(_sentence(remark, said) for remark in found.remarks)
    return Identity(found.masked, found.length, owners, notes)


def _owner(candidate: known.Candidate, said: Texts) -> Owner:
    from keyguard.report.listings import Owner  # noqa: PLC0415  # as above

    provider, shape = candidate.provider, candidate.shape
    return Owner(
        provider.label(said.lang),
        kind=shape.name.replace("_", " ") if shape else "",
        confidence=candidate.confidence.label,
        whole=candidate.whole,
        reason=said.say("identify.and").join(_sentence(flaw, said) for flaw in candidate.flaws),
        hosts=candidate.hosts,
        env=provider.env,
        console_url=provider.console_url,
    )


def _sentence(remark: known.Remark, said: Texts) -> str:
    values: Mapping[str, object] = {
        name: value.label(said.lang) if hasattr(value, "label") else value for name, value in remark.values.items()
    }
    return said.say(f"identify.{remark.name}", **values)
