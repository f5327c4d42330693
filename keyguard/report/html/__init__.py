"""An audit as one page that stands alone: it loads nothing, holds no key and can be read without its script."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from pathlib import Path

from keyguard.lang import texts
from keyguard.leaks import RANKS
from keyguard.report.common import place, provider_name, rule_name, titled
from keyguard.report.connections import HOST_HEADS, ROW_HEADS
from keyguard.report.html.view import bytes_in_words, facets, in_words, lacks, link, marked, rule_link, show
from keyguard.report.options import EPOCH
from keyguard.report.safe import visible
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from jinja2 import Environment

    from keyguard.leaks import Audit
    from keyguard.report.html.view import View
    from keyguard.report.options import RenderOptions

_FOLDER = Path(__file__).parent
# What the page may do: run its own script and style, which their hashes name, and nothing that reaches outside.
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# Inside a script element nothing ends it but its own end tag, and no text can look like one.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_TEXTS = ("leaks", "others", "rows")  # what the script says itself


def render(audit: Audit, options: RenderOptions) -> str:
    """Render an audit as HTML in UTF-8; equal audits and options give equal bytes.

    The time of the audit is `options.scan_time`, left out when nobody told it. Every text of the audit is shown as
    text, what could hide or reorder it spelled out. A large audit shows part of its places and says how many it left.
    """
    shown = show(audit, options)
    say = texts(options.lang).say
    script = _asset("page.js")
    style = _asset("page.css") + _grid(shown)
    policy = _POLICY.format(script=_hash(script), style=_hash(style))
    page = _environment().get_template("page.html")
    text: str = page.render(
        audit=audit,
        shown=shown,
        options=options,
        say=say,
        policy=policy,
        script=_raw(script),
        style=_raw(style),
        data=_raw(_data(shown, options)),
        scan_time=None if options.scan_time == EPOCH else options.scan_time,
        row_heads=ROW_HEADS,
        host_heads=HOST_HEADS,
        ranks=RANKS,
        zip=zip,
        several=len(audit.repositories) > 1,
        place=functools.partial(place, options=options),
        titled=functools.partial(titled, options=options),
        rule_name=functools.partial(rule_name, options=options),
        rule_link=functools.partial(rule_link, options=options),
        provider_name=functools.partial(provider_name, options=options),
        in_words=functools.partial(in_words, options=options),
        lacks=functools.partial(lacks, options=options),
        number="{:,}".format,
        bytes_in_words=bytes_in_words,
        marked=marked,
        link=link,
    )
    return f"{text}\n"


@functools.cache
def _environment() -> Environment:
    """Jinja with everything escaped, made harmless first, and nothing undefined; it holds the compiled templates."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # 35 ms, for this format only

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _harmless(value: object) -> object:
    """Spell out what could hide text; what is HTML already (of our own templates) has been through here."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else visible(value)


def _raw(text: str) -> object:
    """Mark a text of our own as one that is not to be escaped."""
    from markupsafe import Markup  # noqa: PLC0415  # in memory with Jinja

    return Markup(text)  # noqa: S704  # script, style and JSON: page.js, page.css and what `_data` made safe


@functools.cache
def _asset(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _grid(shown: View) -> str:
    """Draw the ticks of the life lines behind all of them; styles of single elements are not allowed."""
    ticks = shown.chart.ticks if shown.chart else ()
    lines = ",".join(f"linear-gradient(var(--line),var(--line)) {tick.at:g}% 0/1px 100% no-repeat" for tick in ticks)
    return f".track{{background:{lines}}}\n" if lines else ""


def _data(shown: View, options: RenderOptions) -> str:
    """Give what the script needs as JSON that no text can break out of."""
    say = texts(options.lang).say
    said = {name: say(f"html.script.{name}", shown="{shown}", total="{total}") for name in _TEXTS}
    data: dict[str, Any] = {"items": facets(shown), "texts": said}
    return json.dumps(data, separators=(",", ":")).translate(_ESCAPES)
