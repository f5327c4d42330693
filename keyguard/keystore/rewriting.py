"""Changes a file that others may be changing at the same time: nobody's line is lost."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time

from keyguard.files import ChangedMeanwhile, is_inside, write_atomically
from keyguard.keystore.base import StoreError
from keyguard.settings import display
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# os.path and not pathlib: pathlib costs 8 ms at start, and a hook has 70.
# ruff: noqa: PTH101, PTH116, PTH118, PTH120

_PATIENCE = 30.0  # seconds: another keyguard holds a lock for milliseconds
_PAUSE = 0.02
_TRIES = 20  # an editor that saves again and again while we write


def read(path: str, root: str) -> bytes | None:
    """Give what a file holds, None if there is none; never waits for a pipe, never follows a link out of `root`.

    Raises:
        StoreError: it cannot be read, or is no file of this project.
    """
    if not is_inside(path, root):
        message = (
            f"{display(path)} leads out of the project to {display(os.path.realpath(path))}; name a file inside it"
        )
        raise StoreError(message)
    try:
        with open(path, "rb", opener=_opened) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                message = f"{display(path)} is no regular file; name another one"
                raise StoreError(message)
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(path, "cannot be read", error) from None


def rewrite(path: str, root: str, change: Callable[[bytes | None], bytes], *, mode: int | None = None) -> bool:
    """Put `change` of what a file holds in its place; tell whether that was another text.

    Two guards, since each has a gap. A lock keeps keyguard's processes apart, else a second one could write between our
    last look and the rename. Editors know of no lock: what they saved since we read is seen, and we start over.

    Raises:
        StoreError: it could not be read or written, and is as it was.
    """
    with _locked(os.path.dirname(os.path.realpath(path))):
        for number in range(_TRIES):
            old = read(path, root)
            new = change(old)
            try:
                if new == old:
                    return _given_mode(path, mode)
                write_atomically(path, new, expect=old, mode=mode, root=root, fresh=old is None)
            except ChangedMeanwhile:
                time.sleep(_PAUSE * (number + 1))
            except OSError as error:
                raise failed(path, "cannot be written", error) from None
            else:
                return True
    message = f"{display(path)} is changed by another program again and again; end that one, then run this again"
    raise StoreError(message)


def failed(path: str, what: str, error: OSError) -> StoreError:
    """Give the error for a file that the system refuses."""
    reason = error.strerror or type(error).__name__
    return StoreError(f"{display(path)} {what} ({reason}); give yourself the right to it, or name another file")


def _opened(path: str, flags: int) -> int:
    # A named pipe, as password managers put in a .env's place, would wait for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _given_mode(path: str, mode: int | None) -> bool:
    if mode is None or stat.S_IMODE(os.stat(path).st_mode) == mode:
        return False
    os.chmod(path, mode)
    return os.name != "nt"  # which knows of "read only" alone


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[None]:
    """Keep other processes of keyguard out of a folder; the system gives the lock back whatever becomes of us.

    The folder itself is locked, so that no lock file stays behind; its files are replaced, which no lock on them would
    survive. Where the system cannot lock it (some network drives), the second guard has to do.
    """
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _lock_place(folder)
        except OSError:
            yield
            return
        stack.callback(os.close, descriptor)
        end = time.monotonic() + _PATIENCE
        while (state := _try_lock(descriptor)) == "taken":
            if time.monotonic() > end:
                message = f"another run of keyguard holds {display(folder)}; wait for it to end, then run this again"
                raise StoreError(message)
            time.sleep(_PAUSE)
        if state == "ours":
            stack.callback(_unlock, descriptor)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock_place(folder: str) -> int:
        import hashlib  # noqa: PLC0415  # only here
        import tempfile  # noqa: PLC0415  # as above

        name = hashlib.sha256(os.path.normcase(folder).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return os.open(os.path.join(tempfile.gettempdir(), f"keyguard-{name}.lock"), os.O_RDWR | os.O_CREAT)

    def _try_lock(descriptor: int) -> str:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return "taken"
        except OSError:
            return "impossible"
        return "ours"

    def _unlock(descriptor: int) -> None:
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock_place(folder: str) -> int:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def _try_lock(descriptor: int) -> str:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "taken"
        except OSError:
            return "impossible"
        return "ours"

    def _unlock(descriptor: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
