"""JUnit XML: a failed test case a finding, one passed when there is none."""

from __future__ import annotations

from keyguard.report.common import counts, in_cell, ordered, place, titled
from keyguard.report.safe import visible
from keyguard.report.summary import summary_sentence
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from keyguard.model import Finding, Report
    from keyguard.report.options import RenderOptions

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def render(report: Report, options: RenderOptions) -> str:
    """Render one test suite; the text is ASCII (other characters as references), so no console can spoil it."""
    findings = ordered(report.findings)
    numbers = counts(report)
    total = max(1, len(findings))
    attributes = f'name="keyguard" tests="{total}" failures="{len(findings)}" errors="0" skipped="0" time="0"'
    cases = [_case(finding, options) for finding in findings] or [
        f'    <testcase classname="keyguard" name={_quote(summary_sentence(report, numbers, options))} time="0"/>'
    ]
    notices = [
        visible(notice.message if notice.path is None else f"{notice.path}: {notice.message}")
        for notice in report.notices
    ]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="keyguard" tests="{total}" failures="{len(findings)}" errors="0" time="0">',
        f"  <testsuite {attributes}>",
        *cases,
        *([f"    <system-err>{_escape(chr(10).join(notices))}</system-err>"] if notices else []),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(finding: Finding, options: RenderOptions) -> str:
    where = in_cell(finding, options) or f"{finding.line}:{finding.column}"
    name = f"{titled(finding.rule, options)} {where}"
    # Viewers link `file` and `line` to the source; a cell's lines are not the file's.
    line = f' line="{finding.line}"' if finding.cell is None else ""
    path = _quote(visible(finding.path))
    body = f"{place(finding, options)}: {visible(finding.message)}"
    if finding.remedy:
        body += f"\n{visible(finding.remedy)}"
    message = _quote(visible(finding.message))
    return (
        f'    <testcase classname={path} file={path}{line} name={_quote(name)} time="0">\n'
        f"      <failure type={_quote(finding.rule)} message={message}>{_escape(body)}</failure>\n"
        f"    </testcase>"
    )


def _quote(text: str) -> str:
    return f'"{_escape(text)}"'


def _escape(text: str) -> str:
    """Escape text that has no controls but newlines; XML allows neither U+FFFE nor U+FFFF, even as references."""
    for character, reference in _ESCAPES.items():
        text = text.replace(character, reference)
    text = text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")
