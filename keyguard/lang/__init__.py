"""What keyguard itself says, in English and Chinese, and which of them to use; a rule's words live in `rules/`."""

from __future__ import annotations

from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    # A text, or its forms for one and for many; `{count}` chooses.
    Entry = str | tuple[str, str]

LANGUAGES = ("en", "zh")


class Texts:
    """The texts of one language; `say("clean", count=42)` gives the sentence with its values filled in."""

    __slots__ = ("_entries", "lang")

    def __init__(self, lang: str, entries: Mapping[str, Entry]) -> None:
        """Keep the entries of language `lang`."""
        self.lang = lang
        self._entries = entries

    def say(self, name: str, /, **values: object) -> str:
        """Give the text called `name`, in the form `count` asks for; KeyError for a missing name or value."""
        entry = self._entries[name]
        if isinstance(entry, tuple):
            entry = entry[0] if values["count"] == 1 else entry[1]
        return entry.format_map(values)


def texts(lang: str) -> Texts:
    """Give the texts of `lang`, one of `LANGUAGES`."""
    if lang == "zh":
        from keyguard.lang import zh  # noqa: PLC0415  # only one language is needed in a run

        return Texts("zh", zh.ENTRIES)
    from keyguard.lang import en  # noqa: PLC0415  # only one language is needed in a run

    return Texts("en", en.ENTRIES)


def why_unread(lang: str, name: str, /, **values: object) -> str:
    """Say why a path, a file or a text in it was not read or written, by the name of a text of `lang.reading`."""
    from keyguard.lang import reading  # noqa: PLC0415  # few runs need it

    return reading.texts(lang).say(name, **values)


def choose(option: str | None, environ: Mapping[str, str], *, terminal: bool) -> str:
    """Choose the language: the option, else on a terminal the locale, else English: pipes are the same everywhere.

    Args:
        option: The value of `--lang`, one of `LANGUAGES`, or None.
        environ: The environment, whose LC_ALL, LC_MESSAGES and LANG name the locale in POSIX's order.
        terminal: Whether a person reads the output.
    """
    if option is not None:
        return option
    if not terminal:
        return "en"
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"
