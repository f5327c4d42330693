"""Report → text: one file a format, loaded only when asked for."""

from __future__ import annotations

from types import MappingProxyType

from keyguard.errors import UsageError
from keyguard.report.options import RenderOptions, scan_time, speaks_unicode
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyguard.model import Report

__all__ = ["FORMATS", "MACHINE_FORMATS", "RenderOptions", "render", "scan_time", "speaks_unicode"]

_MODULES = MappingProxyType(
    {
        "text": "text",
        "concise": "concise",
        "json": "json_report",
        "jsonl": "jsonl",
        "csv": "csv_table",
        "sarif": "sarif",
        "github": "github",
        "gitlab-quality": "gitlab_quality",
        "gitlab-secrets": "gitlab_secrets",
        "junit": "junit",
        "markdown": "markdown",
    }
)
FORMATS = tuple(_MODULES)
# Programs read these: English unless --lang says otherwise, and findings in the order of paths.
MACHINE_FORMATS = tuple(name for name in FORMATS if name not in {"text", "concise", "markdown"})


def render(report: Report, format: str, options: RenderOptions) -> str:  # noqa: A002  # the option's own name
    """Render a report; the text ends with a line end, or is empty when there is nothing to say.

    The text holds no lone surrogate, so it can be written in UTF-8; CSV brings its own CRLF line ends, so write it
    without newline translation.

    Raises:
        UsageError: `format` is none of `FORMATS`.
    """
    if format not in _MODULES:
        msg = f"unknown output format {format!r}: use one of {', '.join(FORMATS)}"
        raise UsageError(msg)
    from importlib import import_module  # noqa: PLC0415  # a run renders one format; the others stay unread

    renderer: Callable[[Report, RenderOptions], str] = import_module(f"keyguard.report.{_MODULES[format]}").render
    return renderer(report, options)
