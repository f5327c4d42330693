"""Why a key is not taken out of the code by a fix."""

from __future__ import annotations

import enum


class Why(enum.Enum):
    """A reason; its value names the text `move.why.…` of `lang.moving` that completes "by hand: …"."""

    ANNOTATION = "annotation"
    ANOTHER_KEY = "another-key"
    BETWEEN = "between"
    CLASS_ATTRIBUTE = "class-attribute"
    CLASS_NAMES = "class-names"
    DECLARED = "declared"
    DECODED_PART = "decoded-part"
    DICT_KEY = "dict-key"
    ENUM = "enum"
    FORMAT = "format"
    LAMBDA = "lambda"
    MADE_ELSEWHERE = "made-elsewhere"
    MAGIC = "magic"
    MORE_THAN_KEY = "more-than-key"
    MUTABLE = "mutable"
    NAMES = "names"
    NEIGHBOUR = "neighbour"
    NOT_A_NAME = "not-a-name"
    NOT_PLAIN = "not-plain"
    NOT_THERE = "not-there"
    NO_ANNOTATION = "no-annotation"
    NO_FACTORY = "no-factory"
    NO_FUNCTION = "no-function"
    NO_IMPORT = "no-import"
    NO_READ = "no-read"
    NO_TEXT = "no-text"
    ODD_BODY = "odd-body"
    ONE_LINE = "one-line"
    OPTION = "option"
    OTHER_VARIABLE = "other-variable"
    PATTERN = "pattern"
    PIECES_ELSEWHERE = "pieces-elsewhere"
    POSITIONAL = "positional"
    PRIVATE_FIELD = "private-field"
    PUT_TOGETHER = "put-together"
    QUOTES = "quotes"
    STUB = "stub"
    TEMPLATE = "template"
    TYPE = "type"


class RefusedError(Exception):
    """A key that cannot be taken out by a rewrite that is certain to be right."""

    def __init__(self, why: Why) -> None:
        """Say why."""
        super().__init__(why.value)
        self.why = why
