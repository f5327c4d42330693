"""`keyguard doctor`: reads the environment, asks providers if it may, and says what is wrong."""

from __future__ import annotations

import os
import sys

from keyguard.cli.run import agreed
from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from keyguard.catalogue import Catalogue
    from keyguard.discover import Target
    from keyguard.doctor.asking import Asking
    from keyguard.lang import Texts
    from keyguard.leaks import Verdict
    from keyguard.verify import Request

# ruff: noqa: PTH112  # os.path, as in commands


def folder_of(arguments: argparse.Namespace) -> str:
    """The project's folder.

    Raises:
        UsageError: it is none.
    """
    path: str = arguments.path
    if not os.path.isdir(path):
        msg = f"{path}: there is no such folder; name the project's folder"
        raise UsageError(msg)
    return path


def own(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The project's own files: tests, examples and pages need keys of nobody who runs it."""
    return tuple(target for target in targets if target.role == "code")


def ask(asking: Asking, catalogue: Catalogue, lang: str, *, yes: bool) -> dict[str, Verdict] | None:
    """Say what would be sent where, ask whether to, and give the verdicts by variable; None when nothing may be sent.

    Raises:
        UsageError: nobody can be asked, and `yes` was not given.
    """
    from keyguard.lang.doctor import texts  # noqa: PLC0415  # for --verify only
    from keyguard.verify import Terms, plan, verify  # noqa: PLC0415  # as above

    said = texts(lang)
    requests = plan(asking.questions, catalogue)
    sys.stderr.write(_announced(requests, asking.names, said, lang))
    if (
        any(request.asks for request in requests)
        and not yes
        and not agreed(said.say("ask.question"), said.say("ask.needs_yes"))
    ):
        sys.stderr.write(said.say("ask.declined") + "\n")
        return None
    return {name: verdict for key, verdict in verify(requests, Terms(), lang) for name in asking.names[key]}


def _announced(requests: Sequence[Request], names: Mapping[str, tuple[str, ...]], said: Texts, lang: str) -> str:
    """What is going to be sent where, a line a key."""
    from keyguard.lang.verify import texts  # noqa: PLC0415  # for --verify only

    join = said.say("and").join
    lines = [said.say("ask.what" if any(request.asks for request in requests) else "ask.none")]
    for request in requests:
        shown = join(names[request.key])
        if request.asks:
            lines.append("  " + said.say("ask.line", names=shown, hosts=join(request.hosts)))
        else:
            why = texts(lang).say(f"why.{request.why}", host="", status="")
            lines.append("  " + said.say("ask.skipped", names=shown, reason=why))
    return "\n".join(lines) + "\n"
