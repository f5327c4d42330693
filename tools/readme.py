"""Writes what keyguard really prints into both READMEs; `--check` names the stale ones and exits 1."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.keys import fill  # noqa: E402  # the key maker belongs to the tests, and this file runs by its path
from tools.demo import FILES  # noqa: E402  # as above

READMES = {"README.md": "en", "README.zh-CN.md": "zh"}

_BLOCK = r"(?P<head><!-- {name}: written by tools/readme\.py -->\n).*?(?P<tail><!-- /{name} -->)"


def rendered(text: str, blocks: Mapping[str, str]) -> str:
    """Put the blocks into a README; LookupError for a block it has no place for."""
    for name, block in blocks.items():
        pattern = re.compile(_BLOCK.format(name=name), re.DOTALL)
        if pattern.search(text) is None:
            msg = f"no place for {name}: it needs <!-- {name}: written by tools/readme.py --> and <!-- /{name} -->"
            raise LookupError(msg)
        text = pattern.sub(lambda found, block=block: found["head"] + block + found["tail"], text)  # type: ignore[misc]
    return text


def is_stale(before: str, after: str) -> bool:
    """Tell whether a README says something else than keyguard: argparse breaks lines anew in each version of Python."""
    return "".join(before.split()) != "".join(after.split())


def blocks(lang: str) -> dict[str, str]:
    """What keyguard prints today."""
    whole = _fenced(f"$ keyguard --help\n{_run('--help')}")
    check = _fenced(f"$ keyguard check --help\n{_run('check', '--help')}")
    folded = f"<details>\n<summary><code>keyguard check --help</code></summary>\n{check}</details>\n\n"
    return {
        "demo": _fenced(_demo(lang)),
        "fix": _fenced(_fix(lang)),
        "audit": _fenced(_audit(lang)),
        "help": whole + folded,
    }


def _fenced(text: str) -> str:
    return f"\n```console\n{text.rstrip()}\n```\n\n"


def _run(*arguments: str) -> str:
    return _output(sys.executable, "-m", "keyguard", *arguments)


def _demo(lang: str) -> str:
    text = _output(sys.executable, str(ROOT / "tools/demo.py"), "--lang", lang)
    # Not the line above the command nor the last one: they speak of this machine's folder.
    return text[text.index("$ keyguard") : text.rindex("\n\n")].rstrip()


def _fix(lang: str) -> str:
    """What a fix shows, and what it does: two files that leak, before and after."""
    options = ("--lang", lang) if lang == "zh" else ()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("app.py", "chat.py"):
            Path(folder, name).write_text(fill(FILES[name]), encoding="utf-8")
        subprocess.run(("git", "init", "-q"), cwd=folder, check=True)
        texts = []
        for arguments in (("fix", "--diff", *options), ("fix", *options)):
            shown = _output(sys.executable, "-m", "keyguard", *arguments, folder=folder, code=1)
            texts.append(f"$ keyguard {' '.join(arguments)}\n\n{shown}\n")
    return "\n".join(texts)


_PAST = (
    ("Ann", "2024-02-11T09:30:00Z", "Answer customers", 'client = OpenAI(api_key="<openai-key>")'),
    ("Ben", "2024-09-18T16:05:00Z", "Read the key from the environment", "client = OpenAI()"),
)


def _audit(lang: str) -> str:
    """What an audit says of a key that was taken out long ago."""
    options = ("--lang", lang) if lang == "zh" else ()
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer, "assistant")
        folder.mkdir()
        _git(folder, "init", "-q", "-b", "main")
        for name, date, subject, line in _PAST:
            (folder / "app.py").write_text(f"from openai import OpenAI\n\n{fill(line)}\n", encoding="utf-8")
            _git(folder, "add", "app.py")
            _git(folder, "commit", "-q", "-m", subject, name=name, date=date)
            if name == "Ann":
                _git(folder, "branch", "release/2.1")
        shown = _output(sys.executable, "-m", "keyguard", "audit", "--no-cache", *options, folder=folder, code=1)
    # What was read, and the key's story; connections and what to type next are shown elsewhere.
    said = shown.split("\n\n")[:2]
    return "\n\n".join((f"$ keyguard {' '.join(('audit', *options))}", *said))


def _git(folder: Path, *arguments: str, name: str = "Ann", date: str = "2024-01-01T00:00:00Z") -> None:
    """Run git as somebody at some time, whoever runs this now."""
    person = {"NAME": name, "EMAIL": f"{name.lower()}@example.org", "DATE": date}
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in person.items()}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(("git", *arguments), cwd=folder, env=kept | own | who, check=True)


def _output(*command: str, folder: str | Path = ROOT, code: int = 0) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in {"KEYGUARD_OUTPUT_FORMAT", "FORCE_COLOR"}}
    env = kept | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    env["SHELL"] = "/bin/bash"
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != code:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; name the stale files and exit 1")
    check = parser.parse_args().check
    stale = []
    for name, lang in READMES.items():
        file = ROOT / name
        before = file.read_text(encoding="utf-8")
        after = rendered(before, blocks(lang))
        if is_stale(before, after):
            stale.append(name)
            if not check:
                file.write_text(after, encoding="utf-8")
    for name in stale:
        print(f"{name}: {'is stale, run `make docs`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
