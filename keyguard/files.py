"""Writes a file as a whole or not at all, and only if it still holds what it held when it was read."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

# ruff: noqa: PTH103, PTH105, PTH108, PTH120, PTH123  # os.path, as in discover: pathlib costs 8 ms


class ChangedMeanwhile(Exception):  # noqa: N818  # a state of the file, not a bug
    """The file no longer holds what it held when it was read."""


def write_atomically(  # noqa: PLR0913  # each is one promise more
    path: str,
    data: bytes,
    *,
    expect: bytes | None = None,
    mode: int | None = None,
    root: str | None = None,
    fresh: bool = False,
) -> None:
    """Put `data` in the place of what a file holds, or make the file.

    At any moment, also after a crash, the file is old or new, never half: the bytes go to a file beside it, to the
    disk, and then take its name. Mode and, where allowed, owner stay; a link is followed to what it leads to.

    Args:
        path: the file.
        data: all its new bytes.
        expect: what it must hold just before, None if that does not matter (or it is new).
        mode: its permission bits; None for those it has, 0o666 less the umask for a new one.
        root: a folder that a link must not lead out of; None if it may lead anywhere.
        fresh: there must be no such file yet.

    Raises:
        ChangedMeanwhile: it holds something else than `expect`, or is there although it should not be.
        OSError: it could not be written; what was begun is gone. Also for a link that leads out of `root`.
    """
    place = os.path.realpath(path)
    if root is not None and not is_inside(place, root):
        raise OSError(None, "it is a link that leads out of the project")
    held = _status(place)
    with _temporary(place, _mode(held) if mode is None else mode) as (stream, temporary):
        stream.write(data)
        stream.flush()
        if held is not None:
            _keep_owner(stream.fileno(), held)
        os.fsync(stream.fileno())
        stream.close()  # Windows renames no open file
        if expect is not None and _read(place) != expect:
            raise ChangedMeanwhile(path)
        if fresh:
            _name_anew(temporary, place)
        else:
            os.replace(temporary, place)
    _sync_folder(os.path.dirname(place))


def leave(path: str, pieces: Iterable[bytes]) -> bool:
    """Write a file for later runs of this user alone, whole or not at all; False where nothing can be written."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".left-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError:
        return False
    return True


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a path lies in a folder, or is it, once all links are followed."""
    real, root = os.path.realpath(path), os.path.realpath(folder)
    try:
        return os.path.commonpath((real, root)) == root
    except ValueError:  # two drives
        return False


def _name_anew(temporary: str, place: str) -> None:
    """Give a file its name unless another one has it; a rename would replace that one."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise ChangedMeanwhile(place) from None
    except OSError:  # a file system without hard links
        if os.path.lexists(place):
            raise ChangedMeanwhile(place) from None
        os.replace(temporary, place)
    else:
        os.unlink(temporary)


def _status(place: str) -> os.stat_result | None:
    try:
        held = os.stat(place)  # noqa: PTH116  # as above
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(held.st_mode):
        raise OSError(None, "it is no regular file")
    # A rename needs no right to write the file, but its owner took that right away on purpose.
    if not os.access(place, os.W_OK):
        raise PermissionError(13, "Permission denied")
    return held


def _mode(held: os.stat_result | None) -> int:
    if held is not None:
        return stat.S_IMODE(held.st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


@contextlib.contextmanager
def _temporary(place: str, mode: int) -> Iterator[tuple[BinaryIO, str]]:
    """A file beside the one that it will replace, gone again if it does not; its owner alone can read it at first."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".keyguard-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            _set_mode(descriptor, temporary, mode)
            yield stream, temporary
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _set_mode(descriptor: int, temporary: str, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
    else:
        os.chmod(temporary, mode)  # noqa: PTH101  # Windows has nothing else


def _keep_owner(descriptor: int, held: os.stat_result) -> None:
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # only root may give a file away
            os.fchown(descriptor, held.st_uid, held.st_gid)


def _read(place: str) -> bytes | None:
    try:
        with open(place, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _sync_folder(folder: str) -> None:
    """Make the new name last; where a folder cannot be synchronised (Windows, some networks) the system must do."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
