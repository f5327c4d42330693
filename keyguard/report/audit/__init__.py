"""Audit → text: what a person reads, what programs read, and the page that is handed on; each format on demand."""

from __future__ import annotations

from types import MappingProxyType

from keyguard.errors import UsageError
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.leaks import Audit
    from keyguard.report.options import RenderOptions

_MODULES = MappingProxyType(
    {
        "text": "audit.text",
        "json": "audit.json_report",
        "jsonl": "audit.jsonl",
        "csv": "audit.csv_table",
        "markdown": "audit.markdown",
        "sarif": "audit.sarif",
        "html": "html",
    }
)
AUDIT_FORMATS = tuple(_MODULES)


def render_audit(audit: Audit, format: str, options: RenderOptions) -> str:  # noqa: A002  # the option's own name
    """Render an audit; the text ends with a line end and holds no lone surrogate, CSV brings its own CRLF line ends.

    Raises:
        UsageError: `format` is none of `AUDIT_FORMATS`.
    """
    see_that_known(format)
    from importlib import import_module  # noqa: PLC0415  # a run renders one format; the others stay unread

    renderer: Callable[[Audit, RenderOptions], str] = import_module(f"keyguard.report.{_MODULES[format]}").render
    return renderer(audit, options)


def see_that_known(format: str) -> None:  # noqa: A002  # the option's own name
    """Refuse a format that is none, before an audit is made for it.

    Raises:
        UsageError: `format` is none of `AUDIT_FORMATS`.
    """
    if format not in _MODULES:
        msg = f"unknown output format {format!r} for an audit: use one of {', '.join(AUDIT_FORMATS)}"
        raise UsageError(msg)
