"""Why a key is not taken out of the code by a fix: the words that complete "by hand: …"."""

from __future__ import annotations

import enum


class Why(enum.Enum):
    """A reason, in words."""

    ANNOTATION = "its annotation has to be changed with it"
    ANOTHER_KEY = "another key stands in what would have to be moved with it"
    BETWEEN = "something else stands between its pieces"
    CLASS_ATTRIBUTE = "the class is asked for it as well, not only its objects"
    CLASS_NAMES = "its default uses other names of the class"
    DECLARED = "its function is only declared here"
    DECODED_PART = "the key is only a part of what is decoded there"
    DICT_KEY = "as the key of a dictionary it names something"
    ENUM = "a member of an enumeration is a constant"
    FORMAT = "it stands in the format of a value, or in a template string"
    LAMBDA = "a lambda has no room for a statement"
    MADE_ELSEWHERE = "what it is made of stands in another place"
    MAGIC = "it stands in a line of IPython's"
    MORE_THAN_KEY = "its field's default is more than the key"
    MUTABLE = "all calls of its function share what it stands in"
    NAMES = "it stands where names belong"
    NEIGHBOUR = "a literal beside it cannot become part of a sum"
    NOT_A_NAME = "only a plain literal can become a name"
    NOT_PLAIN = "its pieces are not all plain texts"
    NOT_THERE = "its pieces are not where they seem to be"
    NO_ANNOTATION = "a field without an annotation needs a default"
    NO_FACTORY = "a field of this kind takes no function that makes its default"
    NO_FUNCTION = "its function is not known"
    NO_IMPORT = "what describes a field cannot be imported here"
    NO_READ = "no read can be spelled at this place"
    NO_TEXT = "what the expression gives may be more than a text"
    ODD_BODY = "the body of its function begins in an unusual way"
    ONE_LINE = "the body of its function stands beside the def"
    OPTION = "the option asks for its value in another way as well"
    OTHER_VARIABLE = "its field is filled from another variable"
    PATTERN = "a pattern takes no expression"
    PIECES_ELSEWHERE = "its pieces stand in other places, which may be used for more"
    POSITIONAL = "its default is one of several arguments without a name"
    PRIVATE_FIELD = "a private field takes no function that makes its default"
    PUT_TOGETHER = "its pieces are put together in a way that is not undone here"
    QUOTES = "f-strings in f-strings need quotes of their own"
    STUB = "the file only declares things"
    TEMPLATE = "a template string keeps its parts apart"
    TYPE = "it is part of a type"


class RefusedError(Exception):
    """A key that cannot be taken out by a rewrite that is certain to be right."""

    def __init__(self, why: Why) -> None:
        """Say why."""
        super().__init__(why.value)
        self.why = why
