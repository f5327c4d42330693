"""What people are told after keys moved: what is not set yet and how to set it, where each key is, what to revoke."""

from __future__ import annotations

from keyguard.lang import texts
from keyguard.report.common import place, provider_of
from keyguard.report.paint import paint
from keyguard.report.safe import visible
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from keyguard.model import Finding
    from keyguard.report.options import RenderOptions
    from keyguard.report.paint import Line

_PLACES = 3  # of one key; --verbose lists all


class MovedKey(NamedTuple):
    """A key that left the code: its variable, where it stood, and whether the last commit holds it too."""

    name: str
    places: tuple[Finding, ...]
    is_committed: bool = False


class Surroundings(NamedTuple):
    """What the project and the user's terminal are like: `unset` are variables that nothing has set yet.

    `shell` is bash, zsh, fish, powershell or cmd; `uses` names what the project has of dotenv, docker, compose and
    github. `env_file` is the store's path as the user would type it, None for a store that is no file. `is_copied` says
    that an image is built from the folder and nothing keeps the file out of it.
    """

    unset: Collection[str] = ()
    shell: str = "bash"
    uses: frozenset[str] = frozenset()
    env_file: str | None = None
    loads_itself: bool = False
    is_copied: bool = False


# How a variable of the env file gets to where a program runs; `{file}` is its path, `{name}` the first variable's.
_LOADING = {
    "bash": "set -a; . {file}; set +a",
    "zsh": "set -a; . {file}; set +a",
    "fish": "exec bash -c 'set -a; . {file}; exec fish'",
    "powershell": "Get-Content {file} | ForEach-Object {{ if ($_ -match '^(\\w+)=(.*)$') "
    '{{ Set-Item "env:$($Matches[1])" $Matches[2].Trim("\'") }} }}',
    "cmd": 'for /f "tokens=1,* delims==" %a in ({file}) do @set "%a=%b"',
    "dotenv": "from dotenv import load_dotenv; load_dotenv()",
    "docker": "docker run --env-file {file} …",
    "compose": "env_file: {file}",
    "github": "gh secret set -f {file}  # then, in the step: env: {name}: ${{{{ secrets.{name} }}}}",
}
_SHELLS = ("bash", "zsh", "fish", "powershell", "cmd")


def render_moved(keys: Sequence[MovedKey], store: str, around: Surroundings, options: RenderOptions) -> str:
    """Say what became of keys that moved to the store; an empty text when none did."""
    if not keys:
        return ""
    lines = [*_not_set(keys, around, options), *_moved(keys, store, options)]
    lines += [*_loading(keys, around, options), *_copied(around, options), *_revoke(keys, options)]
    return paint(lines, color=options.color)


def _not_set(keys: Sequence[MovedKey], around: Surroundings, options: RenderOptions) -> Iterator[Line]:
    unset = [key.name for key in keys if key.name in around.unset]
    if not unset or around.loads_itself:
        return
    say = texts(options.lang).say
    names = ", ".join(unset)
    if around.env_file is None:
        yield [(say("after.unset", count=len(unset), names=names), "warning")]
        return
    command = _LOADING[around.shell].format(file=_dotted(around.env_file), name=unset[0])
    yield [(say("after.load", count=len(unset), names=names), "warning"), (command, "command")]


def _moved(keys: Sequence[MovedKey], store: str, options: RenderOptions) -> Iterator[Line]:
    say = texts(options.lang).say
    yield [(say("after.moved", count=len(keys), store=visible(store)), "good")]
    width = max(len(key.name) for key in keys)
    for key in keys:
        shown = key.places if options.verbose else key.places[:_PLACES]
        where = ", ".join(dict.fromkeys(place(found, options) for found in shown))
        more = len(key.places) - len(shown)
        yield [("  ", ""), (f"{key.name:<{width}}", "key"), (f"  {where}{f' +{more}' if more else ''}", "path")]


def _loading(keys: Sequence[MovedKey], around: Surroundings, options: RenderOptions) -> Iterator[Line]:
    if around.env_file is None:
        return
    say = texts(options.lang).say
    ways = [way for way in _LOADING if options.verbose or way in around.uses]
    if around.loads_itself and "dotenv" in ways:
        ways.remove("dotenv")
    if around.shell not in ways and not any(key.name in around.unset for key in keys):
        ways.insert(0, around.shell)
    for way in ways:
        text = _LOADING[way].format(file=_dotted(around.env_file), name=keys[0].name)
        yield [(say("after.way", way=way), "dim"), (text, "command")]
    if around.shell == "cmd" or options.verbose:
        yield [(say("after.setx"), "dim")]
    if any(way in _SHELLS for way in ways):
        yield [(say("after.export"), "dim")]


def _copied(around: Surroundings, options: RenderOptions) -> Iterator[Line]:
    if around.env_file is not None and around.is_copied:
        yield [(texts(options.lang).say("after.copied", file=visible(around.env_file)), "warning")]


def _revoke(keys: Sequence[MovedKey], options: RenderOptions) -> Iterator[Line]:
    say = texts(options.lang).say
    yield [(say("after.revoke", count=len(keys)), "warning")]
    width = max(len(key.name) for key in keys)
    for key in keys:
        provider = provider_of(key.places[0], options) if key.places else None
        url = provider.console_url if provider is not None and provider.console_url else say("no-console")
        yield [("  ", ""), (f"{key.name:<{width}}", "key"), (f"  {url}", "")]
    committed = [key.name for key in keys if key.is_committed]
    if committed:
        yield [(say("after.committed", count=len(committed), names=", ".join(committed)), "warning")]


def _dotted(path: str) -> str:
    """A path that a shell's `.` does not look for in PATH."""
    return path if "/" in path or "\\" in path else f"./{path}"
