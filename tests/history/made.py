"""Repositories with a past, written by `git fast-import` in one go, and their history read in this process.

Texts hold placeholders of keys (`<openai-key>`), which are filled here: no file of the project holds a key. Commits are
a day apart, the first on 2024-01-01 at noon in UTC.
"""

from __future__ import annotations

import functools
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

from keyguard import engine, history
from keyguard.catalogue import load
from keyguard.discover import git
from keyguard.fingerprint import key_id
from keyguard.leaks import MOST_REFS
from keyguard.prefilter import Prefilter
from keyguard.settings import SettingsFinder
from keyguard.vocabulary import Words
from tests.keys import fill
from tests.runs import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from keyguard.history import History
    from keyguard.leaks import Sighting

NOON = 1_704_110_400  # 2024-01-01T12:00:00Z
DAY = 86_400
Content = str | bytes | None
"""A file's content; None deletes it."""


class Place(NamedTuple):
    """What is asserted of a sighting, commits by the names the test gave them; `held` are HEAD and other refs."""

    path: str
    line: int
    first: str = ""
    last: str = ""
    held: tuple[str, ...] = ()


def run_git(root: Path, *arguments: str, given: bytes | None = None, **environ: str) -> str:
    """Run git in a folder and give its output; a failure fails the test."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environment(**environ), input=given, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode("utf-8", "surrogateescape").strip()


class Past:
    """A story to be written into a repository: commits, branches and tags, in the order they are told."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._stream: list[bytes] = []
        self._marks: dict[str, int] = {}
        self._tips: dict[str, str] = {}
        self._day = -1

    def commit(  # noqa: PLR0913  # what a commit is made of
        self,
        name: str,
        files: Mapping[str | bytes, Content] | None = None,
        *,
        on: str = "refs/heads/main",
        after: Sequence[str] | None = None,
        message: str | bytes | None = None,
        author: bytes = b"A Person <person@example.org>",
        modes: Mapping[str | bytes, str] | None = None,
        days: int = 1,
    ) -> None:
        """Tell of a commit: what it changes on a ref, after its tip or after the commits named (a merge).

        It is made so many days after the one told before.
        """
        self._marks[name] = mark = len(self._marks) + 1
        parents = ([self._tips[on]] if on in self._tips else []) if after is None else list(after)
        self._day += days
        when = b"%d +0000" % (NOON + DAY * self._day)
        text = _bytes(name if message is None else message)
        lines = [
            b"commit " + on.encode(),
            b"mark :%d" % mark,
            b"author " + author + b" " + when,
            b"committer C Person <c@example.org> " + when,
            b"data %d\n%s" % (len(text), text),
        ]
        lines += [b"%s :%d" % (b"merge" if number else b"from", self._marks[one]) for number, one in enumerate(parents)]
        for path, content in (files or {}).items():
            quoted = _quoted(path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path)
            if content is None:
                lines.append(b"D " + quoted)
                continue
            data = _bytes(content)
            mode = (modes or {}).get(path, "100644").encode()
            lines.append(b"M %s inline %s\ndata %d\n%s" % (mode, quoted, len(data), data))
        self._stream += lines
        self._tips[on] = name

    def ref(self, name: str, commit: str) -> None:
        """Let a ref name a commit."""
        self._stream += [b"reset " + name.encode("utf-8", "surrogateescape"), b"from :%d\n" % self._marks[commit]]
        self._tips[name] = commit

    def tag(self, name: str, commit: str, message: str) -> None:
        """Tell of an annotated tag."""
        text = _bytes(message)
        self._stream += [
            b"tag " + name.encode(),
            b"from :%d" % self._marks[commit],
            b"tagger A Person <person@example.org> %d +0000" % (NOON + DAY * self._day),
            b"data %d\n%s" % (len(text), text),
        ]

    def write(self, root: Path, *, bare: bool = True, form: str = "sha1") -> Made:
        """Write it all into a new repository, of which `main` is checked out unless it is bare."""
        root.mkdir(parents=True, exist_ok=True)
        run_git(root, "init", "-q", "-b", "main", f"--object-format={form}", *(["--bare"] if bare else []))
        made = Made(root, bare=bare)
        made.add(self)
        if not bare:
            run_git(root, "reset", "-q", "--hard")
        return made

    @property
    def told(self) -> tuple[str, ...]:
        """The names of the commits so far."""
        return tuple(self._marks)

    @property
    def stream(self) -> bytes:
        """What `git fast-import` reads."""
        return b"\n".join([b"feature done", *self._stream, b"done\n"])

    def names(self, marks: str) -> dict[str, str]:
        """Give each commit's object by the name it was told by."""
        with open(marks, encoding="ascii") as file:  # noqa: PTH123  # a path of git's
            by_mark = dict(line.split() for line in file)
        return {name: by_mark[f":{mark}"] for name, mark in self._marks.items()}


class Made:
    """A repository that was written."""

    def __init__(self, root: Path, *, bare: bool = True) -> None:
        """Remember where it is."""
        self.root = root
        real = os.path.realpath(root)
        self.repository = git.Repository(real, (("GIT_DIR", real),) if bare else ())
        self.commits: dict[str, str] = {}

    def add(self, past: Past) -> None:
        """Write a story into it."""
        marks = f"{self.root}.marks"
        run_git(self.root, "fast-import", "--quiet", "--force", f"--export-marks={marks}", given=past.stream)
        self.commits.update(past.names(marks))

    def git(self, *arguments: str, given: bytes | None = None, **environ: str) -> str:
        """Run git in it."""
        return run_git(self.root, *arguments, given=given, **environ)

    def read(self, scope: history.Scope = history.Scope(), **options: object) -> History:  # noqa: B008  # it is frozen
        """Read its history as an audit does."""
        return read(self.repository, scope, **options)

    def name_of(self, commit: str) -> str:
        """Give the name a test gave a commit, else the commit's."""
        return next((name for name, one in self.commits.items() if one == commit), commit)

    def places(self, found: History, key: str = "<openai-key>") -> list[Place]:
        """Give where and when a key stands, one place for each finding about it, by path and line."""
        wanted = key_id(fill(key))
        return sorted({self.place(one) for one in found.sightings if one.finding.key == wanted})

    def place(self, one: Sighting) -> Place:
        """Give what is asserted of a sighting."""
        assert one.ref_count == len(one.refs) or len(one.refs) == MOST_REFS
        return Place(
            one.finding.path,
            one.finding.line,
            self.name_of(one.first.commit) if one.first else "",
            self.name_of(one.last.commit) if one.last else "",
            (*(["HEAD"] if one.at_head else []), *one.refs),
        )


@contextmanager
def alone() -> Iterator[None]:
    """Take away what the user has set and what would change what git does."""
    with mock.patch.dict(os.environ, environment(), clear=True):
        yield


def read(
    repository: git.Repository,
    scope: history.Scope = history.Scope(),  # noqa: B008  # as above
    *,
    overrides: Mapping[str, object] | None = None,
    asked: Sequence[str] = (),
    **options: object,
) -> History:
    """Read a history, with one job unless the test asks for more.

    `overrides` are settings; those of the paths `asked` were asked for before, as those of the files on disk are.
    """
    session = session_of(repository.top, overrides)
    with alone():
        for path in asked:
            session.finder.for_path(os.path.join(repository.top, path))  # noqa: PTH118  # a path of git's
        return history.read(repository, session, scope, **{"jobs": 1, **options})  # type: ignore[arg-type]


def session_of(root: str, overrides: Mapping[str, object] | None = None) -> engine.Session:
    """A session as the command line makes one, for a history."""
    catalogue, prefilter, words = _shared()
    project = engine.LazyProject(root, catalogue)
    finder = SettingsFinder(words, overrides, keep_going=True)
    session = engine.Session(catalogue, Prefilter(catalogue), finder, words, project)
    # Patterns are compiled once for all tests.
    return history.session_of(session)._replace(prefilter=prefilter)


@functools.cache
def _shared() -> tuple[engine.Catalogue, Prefilter, Words]:
    catalogue = load()
    return catalogue, Prefilter(catalogue, leaks_only=True), Words(catalogue)


def _bytes(text: str | bytes) -> bytes:
    return fill(text).encode() if isinstance(text, str) else text


def _quoted(path: bytes) -> bytes:
    inner = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + inner + b'"'
