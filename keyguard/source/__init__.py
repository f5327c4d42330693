"""Reads files: bytes to text and back, offsets to lines, kinds and roles by path, notebooks cell by cell."""

from __future__ import annotations

from keyguard.source.kinds import (
    comment_forms,
    is_ci_file,
    is_compose_file,
    is_env_file,
    is_env_template,
    is_minified,
    kind_of,
    role_of,
)
from keyguard.source.text import (
    SourceFile,
    Undecodable,
    decode,
    edited,
    encode,
    is_plain,
    searchable,
    wide_encoding,
)
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.source.magics import python_text
    from keyguard.source.notebook import NoNotebookError, NotebookError, notebook_parts, raw_edit, raw_span

__all__ = [
    "NoNotebookError",
    "NotebookError",
    "SourceFile",
    "Undecodable",
    "comment_forms",
    "decode",
    "edited",
    "encode",
    "is_ci_file",
    "is_compose_file",
    "is_env_file",
    "is_env_template",
    "is_minified",
    "is_plain",
    "kind_of",
    "notebook_parts",
    "python_text",
    "raw_edit",
    "raw_span",
    "role_of",
    "searchable",
    "wide_encoding",
]


def __getattr__(name: str) -> object:
    """Load what only Python and notebooks need when it is asked for: 2 ms that most hook runs never pay."""
    if name == "python_text":
        from keyguard.source import magics  # noqa: PLC0415  # 1 ms

        return magics.python_text
    if name in {"NoNotebookError", "NotebookError", "notebook_parts", "raw_edit", "raw_span"}:
        from keyguard.source import notebook  # noqa: PLC0415  # 1 ms

        found: object = getattr(notebook, name)
        return found
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
