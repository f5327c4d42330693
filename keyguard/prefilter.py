"""Tells from a file's bytes what can be found in it at all, before anything heavy is imported or anything is decoded.

One linear pass decides for most files: 82 MB of Python take 0.2 s and 3 % of the files go on. Those are searched again,
with more exact patterns, so that LibCST (60 ms) and each plug-in of detect-secrets (100 ms) are loaded only when they
can find something. Whatever a check would find passes; a test holds that.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from keyguard.model import Confidence, Severity
from keyguard.patterns import regex
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from keyguard.catalogue import Catalogue
    from keyguard.settings import Settings

# RE2 keeps the states of its automaton in this much memory; with less it starts anew and slows down.
_MEMORY = 32 << 20
_PYTHON = frozenset({"python", "notebook"})
# The families of rules about connections: asked for by name, so that a run without Python imports none of them.
_CONNECTIONS = ("KG2", "KG3", "KG4", "KG5")
# Kinds whose lines are run, and what must stand in one for rule KG109: a credential that is expanded or baked in, the
# whole environment, an env file.
SCRIPTS = frozenset({"shell", "batch", "powershell", "dockerfile", "yaml", "make", "java", "notebook"})
_NAMED = r"(?i:key|token|secret|passw|credential)"
_SCRIPT = (
    rf"[$%!][^\n]*{_NAMED}|^[ \t]*[A-Za-z0-9_]*{_NAMED}[A-Za-z0-9_]*="
    rf"|(?i:\bprintenv\b|%env\b|(?:childitem|gci|dir|ls|item|gi|path)[ \t]+[\"']?env:"
    rf"|^[ \t]*(?:env|arg)[ \t][^\n]*{_NAMED})"
    r"|(?i:(?:^|[;&|(`:!\"']|\brun\b|-[ \t])[ \t@]*(?:env|set|export|declare|typeset)(?:[ \t]+-[px]+|[ \t]+\w+)?[ \t]*"
    r"(?:\r|$|\\|[|;&)>\"']))"
    r"|(?i:\b(?:cat|bat|batcat|type|less|more|head|tail|tac|nl|get-content|gc)[ \t][^\n|;&]*env)"
)
_DISCORD = r"(?:[MNO][DTjz][AEIMQUYcgkosw048][0-5w-z]){5}"  # base64 of a number of many digits

# The plug-ins of detect-secrets by class: module (empty where it is called as the class is), whether it is on unless a
# setting says otherwise, and what must stand in a file for it to find anything that rule KG108 reports. An empty
# pattern means: only when it was turned on.
PLUGINS: dict[str, tuple[str, bool, str]] = {
    "AWSKeyDetector": (
        "aws",
        True,
        r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}|(?i:aws[a-z0-9_. -]*(?:key|pwd|pw|password|pass|token))",
    ),
    "AzureStorageKeyDetector": ("azure_storage_key", True, r"AccountKey=[A-Za-z0-9+/]"),
    "BasicAuthDetector": ("basic_auth", True, r"://[^\s/:@\"'<>]*:[^\s:@\"'<>]+@"),
    "CloudantDetector": ("cloudant", True, r"(?i:cloudant)"),
    "DiscordBotTokenDetector": ("discord", True, _DISCORD),
    "GitHubTokenDetector": ("", True, r"gh[pousr]_[A-Za-z0-9_]{8}"),
    "GitLabTokenDetector": (
        "gitlab_token",
        True,
        r"gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-[A-Za-z0-9_-]{8}|GR1348941",
    ),
    "IbmCloudIamDetector": ("ibm_cloud_iam", True, r"(?i:ibm_?-?(?:cloud|iam|api)|bluemix)"),
    "IbmCosHmacDetector": ("ibm_cos_hmac", True, r"(?i:cos_?-?hmac|cloud-object-storage)"),
    "JwtTokenDetector": ("jwt", True, r"eyJ[A-Za-z0-9_=-]{8}"),
    "MailchimpDetector": ("mailchimp", True, r"[0-9a-f]{4}-us[0-9]"),
    "NpmDetector": ("npm", True, r":_authToken="),
    "PrivateKeyDetector": (
        "private_key",
        True,
        r"BEGIN (?:DSA |EC |OPENSSH |PGP |RSA |SSH2 ENCRYPTED )?PRIVATE KEY|PuTTY-User-Key-File-2",
    ),
    "PypiTokenDetector": ("pypi_token", True, r"pypi-AgE"),
    "SendGridDetector": ("sendgrid", True, r"(?:\b|\\[nrt])SG\.[A-Za-z0-9_-]{8}"),
    "SlackDetector": ("slack", True, r"(?i:xox[abposr]-[0-9]|hooks\.slack\.com/services/t)"),
    "SoftlayerDetector": ("softlayer", True, r"(?i:softlayer)"),
    "SquareOAuthDetector": ("square_oauth", True, r"sq0csp-"),
    "StripeDetector": ("stripe", True, r"[rs]k_live_[0-9a-zA-Z]"),
    "TelegramBotTokenDetector": ("telegram_token", True, r"[0-9]{8}:AA[0-9A-Za-z_-]{8}"),
    "ArtifactoryDetector": ("artifactory", False, r"AKC[A-Za-z0-9]{10}|AP[0-9A-F][A-Za-z0-9]{8}"),
    "Base64HighEntropyString": ("high_entropy_strings", False, ""),
    "HexHighEntropyString": ("high_entropy_strings", False, ""),
    "IPPublicDetector": ("ip_public", False, r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"),
    "KeywordDetector": ("keyword", False, ""),
    # The catalogue's shapes of these keys are newer.
    "OpenAIDetector": ("", False, r"T3BlbkFJ"),
    "TwilioKeyDetector": ("twilio", False, r"(?:AC|SK)[a-z0-9]{32}"),
}

# What must stand in a text for a plug-in that is triggered by words which texts are full of: the secret itself, as
# detect-secrets describes it.
CLOSER = {
    "AWSKeyDetector": r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"
    r"|(?i:aws[^\n]{0,20}(?:key|pwd|pw|password|pass|token))[^\n]{0,20}[\"'][0-9A-Za-z/+]{40}[\"']",
}

# What only Python does with a value: shows it, or puts it into a URL.
_VARIABLE = r"API_?KEY|_TOKEN\b|_SECRET\b|_KEY\b|\bapi_key\b|\benviron\b"
_SINK = (
    r"\b(?:print|pprint|log|logs|logger|logging|loguru|warn|warnings|raise|trace|console|st|click|typer|flash|display|"
    r"show|render\w*|jsonify|Response|JSONResponse|HttpResponse|markdown|info|debug|error|exception|critical|span|"
    r"log_\w+|write|abort|HTTPException|yield|return)\b|[?&](?:api_?)?key=|params"
)
_WHOLE_ENVIRONMENT = r"\benviron[ \t]*[),}!]|\bdict\(os\.environ|\benviron\.(?:items|values|copy)\("
_PRINTER = (
    r"\b(?:print|pprint|pp|log\w*|info|debug|warn\w*|error|exception|critical|echo|write\w*|dumps?|display|json\w*)"
)
_ENVIRONMENT_SHOWN = rf"{_PRINTER}\([^\n]{{0,160}}(?:{_WHOLE_ENVIRONMENT})"
_ENVIRONMENT_NAMED = (
    r"([A-Za-z_][A-Za-z0-9_]*)[ \t]*(?::[^\n=]{1,40})?=[ \t]*"
    r"(?:dict\(|\{\*\*)?(?:os\.)?environ(?:\.copy\(\)|\)|\}|[ \t]*$)"
    r"|\bfor[ \t]+([A-Za-z_][A-Za-z0-9_]*),?[ \t]*([A-Za-z_][A-Za-z0-9_]*)?"
    r"[ \t]+in[ \t]+(?:sorted\()?(?:os\.)?environ"
)
_GENERIC_VARIABLE = r"API_KEY[\"']"
_GENERIC = (b"API_KEY", b"keyguard:", b"reversed(")
_BACKWARDS = r"[\"']\)?\[::-1\]|reversed\([\"']"
# Two literals without a space in them, next to each other or added together: sentences have spaces.
_JOINED = r"[\"'][A-Za-z0-9_.+/=:|~-]{6,}[\"'][ \t\\\r\n]*\+?[ \t\\\r\n]*[frb]?[\"'][A-Za-z0-9_.+/=:|~-]{6,}[\"']"
# A letter followed by a digit, twice: random texts of letters and digits have five or six changes in 20 characters.
_LITERAL = (
    r"[\"'][A-Za-z0-9_.+/=:|~-]*[A-Za-z][0-9]+[A-Za-z_.+/=:|~-]+[A-Za-z0-9_.+/=:|~-]*[A-Za-z][0-9]"
    r"[A-Za-z0-9_.+/=:|~-]*[\"']"
)


# What could matter to Python or to our own marks only.
_EXTRA = (_WHOLE_ENVIRONMENT, _GENERIC_VARIABLE, _BACKWARDS, "keyguard:")

# Bytes up to which a file is searched once for each group of patterns. One automaton for all of them has a state for
# what each may be in the middle of: of two megabytes it takes 30 ms to grow, and three of their own take 15. Where it
# has grown it reads a gigabyte a second, and thrice that takes longer from some eight megabytes on; more than this is
# searched by several threads, which share one.
SMALL = 6 << 20

# Comments that hide a finding, which may stand on a line of their own: see `suppress`.
_MARKS = r"keyguard:|pragma:|:allow|:ignore|nosec|(?i:noqa)"

# What decides about calls that stand elsewhere in a module: limits, repetition, load, hosts, where keys are read.
_AROUND_CALLS = (
    r"(?i:timeout|retr(?:y|ies)|attempt|backoff|sleep|while[ \t]+true|semaphore|gather|taskgroup|as_completed"
    r"|executor|session|verify|base_?url|api_?base|api_?key|thread|pool\(|create_task|start_soon)|://"
    # A loop that begins with `try`: a retry by hand, perhaps around a call of a function that sends.
    r"|\bgetenv\b|\benviron\b|\b(?:for|while)\b[^\n]+:\s+try:"
    # Requests through an object of any name: `self.http.post(…)`, `s.get(url)`.
    r"|\.(?:post|put|patch|request|mount)\(|\.get\([^)\n]{0,40}(?i:url|uri|endpoint)"
)


_NOTEBOOK = b'"nbformat"'  # what every notebook says of itself
_MODEL_PATH = b"/chat/completions"


class Signals(NamedTuple):
    """What a file may hold.

    `keys`: model-API keys in its text. `python`: something only the parsed module tells. `model`: it may have to do
    with models; `talks`: it names a host, a variable or an SDK in full; `connects`: it may make a connection to one,
    if anybody asks for those. `likely`: it is Python that is worth a parse
    whatever a quick look says; else `looks` says what one must find first. `plugins`: the detect-secrets plug-ins that
    can find something. `scripts`: commands that may print a key. `marks`: ignore comments of our own. `env`: it is an
    env file. `requests`: it names no model, but imports an HTTP library or switches the checks of certificates off;
    only a wide prefilter looks for that. `is_binary`: it is no text at all.
    """

    keys: bool = False
    python: bool = False
    model: bool = False
    talks: bool = False
    connects: bool = False
    likely: bool = False
    looks: tuple[str, ...] = ()
    plugins: frozenset[str] = frozenset()
    scripts: bool = False
    marks: bool = False
    env: bool = False
    requests: bool = False
    is_binary: bool = False

    def __bool__(self) -> bool:
        """Tell whether the file must be decoded and checked."""
        found = (
            self.keys or self.python or self.connects or bool(self.plugins) or self.scripts or self.marks or self.env
        )
        return found or self.requests


# Rules that have something to say, though in a low voice, about code that has nothing to do with models.
WIDE = frozenset({"KG301", "KG303", "KG502"})
# What a quick look at Python can tell: that a search of its text finds a key, that a literal may be a key which only a
# name tells, that it gets such a name or to a client, that pieces of a key are put together, that a key it reads is
# shown, that the whole environment is.
FOUND, HELD, GIVEN, BUILT, SHOWN, ENVIRONMENT = "found", "held", "given", "built", "shown", "environment"

NOTHING = Signals()
_BINARY = Signals(is_binary=True)

# The patterns that tell together whether a text has to do with models, and whether it names one in full: three and two
# automata grow in half of the time of one (4 and 3 ms less for a megabyte of Python).
ABOUT = ("words", "names", "phrases")
_TALKS = ("in_full", "host_patterns")


class Prefilter:
    """A catalogue's search patterns; built once for a run, each pattern compiled when it is first needed.

    `plugins` are the detect-secrets plug-ins that are on; None means the ones that are on by default. `connections`
    asks for the connections of Python, too. A `wide` one looks for HTTP libraries as well, in one more search of each
    file, so that the rules in `WIDE` see every file they may. With `leaks_only` nobody asks what shows a key. A `small`
    one is for a few megabytes: it searches several times, see `SMALL`.
    """

    def __init__(  # noqa: PLR0913  # what it is asked for, a word each
        self,
        catalogue: Catalogue,
        plugins: frozenset[str] | None = None,
        *,
        connections: bool = False,
        wide: bool = False,
        leaks_only: bool = False,
        small: bool = False,
    ) -> None:
        """Take the patterns stored with the catalogue; nothing is compiled yet."""
        self._catalogue = catalogue
        self._leaks_only = leaks_only
        self._small = small
        self._connections = connections
        self._narrow = Prefilter(catalogue, plugins, connections=connections, small=small) if wide else None
        self._plugins = default_plugins() if plugins is None else plugins
        self._unconditional = any(not PLUGINS[name][2] for name in self._plugins)

    def __reduce__(self) -> tuple[Callable[..., Prefilter], tuple[Catalogue, frozenset[str], dict[str, bool]]]:
        """Let a worker process compile its own patterns."""
        options = {
            "connections": self._connections,
            "wide": self._narrow is not None,
            "leaks_only": self._leaks_only,
            "small": self._small,
        }
        return _again, (self._catalogue, self._plugins, options)

    @property
    def about(self) -> tuple[object, ...]:
        """What it searches for beside the catalogue: prefilters that agree in it find the same."""
        return (*sorted(self._plugins), self._connections, self._narrow is not None, self._leaks_only)

    def for_leaks(self) -> Prefilter:
        """Give one with the same plug-ins that looks for leaks only."""
        return Prefilter(self._catalogue, self._plugins, leaks_only=True)

    def scan(self, data: bytes, kind: str, path: str = "") -> Signals:
        """Search a file's bytes, or a window of them, in time linear in their number.

        `kind` is that of `source.kind_of`. UTF-16 and UTF-32 are searched as the text they hold.
        """
        if self._narrow is not None:
            return self._widely(self._narrow.scan(data, kind, path), data, kind)
        from keyguard.source import is_env_file, searchable  # noqa: PLC0415  # modules of a package are loaded one by one

        flat = searchable(data)
        if flat is None:
            return _BINARY
        scripts = kind in SCRIPTS and self._script.match(flat) is not None
        env = kind == "env" or is_env_file(path)
        always = scripts or env or self._unconditional
        only_python = self._first_of_all(flat)
        if not always and only_python is None:
            return NOTHING
        if only_python and not always:
            # Nothing but an environment, a reversed text or a mark of ours: half of what is left, told in one search.
            return self._python(flat, kind)._replace(marks=b"keyguard:" in flat)
        return self._closer(flat, kind, scripts=scripts, env=env)

    def worth_a_scan(self, files: Sequence[tuple[bytes, str]]) -> set[int]:
        """Tell which of some files, given by bytes and kind, `scan` has to look at: in the others it finds nothing.

        They are searched together: what Python does for one search takes as long as 2 kB of text.
        """
        if self._narrow is not None or self._unconditional:
            return set(range(len(files)))
        from keyguard.source import is_plain  # noqa: PLC0415  # as in `scan`

        by_name = {n for n, (data, kind) in enumerate(files) if kind in SCRIPTS or kind == "env" or not is_plain(data)}
        ends = list(accumulate(len(data) + 1 for data, _ in files))
        return by_name | self.found_among(b"\n".join((b"", *(data for data, _ in files), b"")), ends)

    def found_among(self, data: bytes, ends: Sequence[int]) -> set[int]:
        """Tell which of the texts in one buffer, which end there, would have to be searched more closely.

        A line's end stands before each text, so that a match is the same as in the text alone; env files and scripts
        are worth a closer look by name. A match that begins in one text may reach into the next and hide another there:
        both are given.
        """
        found: set[int] = set()
        place, stop = 0, ends[-1] if ends else 0
        while place < stop and (match := self._first.search(data, place, stop)) is not None:
            # A match between two texts counts for the second, which its last character may belong to.
            first = bisect_right(ends, match.start())
            last = bisect_right(ends, match.end() - 1)
            found.update(range(first, min(last, len(ends) - 1) + 1))
            place = ends[first] + 1
        return found

    def apart(self, data: bytes, known: Sequence[tuple[int, int]]) -> bytes:
        """Give what is left of a text without the stretches that it shares with another one, `known` in their order.

        If a search finds nothing in the other text, it finds in this one what it finds in the rest: whole lines, since
        no match has parts in more than two lines that hold anything but blanks, and signs that join literals. With
        one line more on each side what `gist` sums up of the stretches hangs on nothing else. A project's own forms of
        keys may be of any kind; with those nothing is left out.
        """
        if self._catalogue.has_own_forms:
            return data
        parts = []
        place = 0
        for start, end in known:
            stop, again = _below(data, start), _above(data, end)
            if stop < again:
                parts.append(data[place:stop])
                place = again
        parts.append(data[place:])
        return b"".join(parts)

    def finds(self, data: bytes) -> bool:
        """Tell whether a text by itself, with a line's end before it, would be `found_among` others."""
        return self._first.search(data) is not None

    def may_leak(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether a text that was `found_among` others can hold a key: of literals only those of clients."""
        strong = self._strong.search(data, start, end) is not None
        return strong or self._test("dials").match(data, start, end) is not None

    def gist(self, data: bytes, start: int, end: int) -> bytes:
        """Sum up what decides which keys are found in a text: the lines where one may stand, and whom the text names.

        Two versions of a file with the same gist hold the same keys, at other lines perhaps: of the 1,700 versions in
        the history of psf/requests that may hold a key, 140 differ in theirs.
        """
        from hashlib import blake2b  # noqa: PLC0415  # 3 ms, for histories only

        digest = blake2b(digest_size=16)
        if self.is_counted_whole(data, start, end):
            digest.update(data[start:end])
            return digest.digest()
        place = start
        while place < end and (found := self._deciding.search(data, place, end)) is not None:
            first = data.rfind(b"\n", place, found.start()) + 1 or place
            # The value of a name may stand on the line below it.
            last = data.find(b"\n", data.find(b"\n", found.end(), end) + 1 or end, end)
            place = end if last < 0 else last
            digest.update(data[first:place])
        about = self._pattern("about")
        named = {found.group() for found in about.finditer(data[start:end])}
        digest.update(b"\0".join(sorted(named)))
        return digest.digest()

    def is_counted_whole(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether all of a text decides which keys are found in it.

        How far a mark of ours reaches hangs on lines around it that say nothing themselves; a notebook's cells may
        stand in another order, and half of its outputs' lines look random.
        """
        return data.find(b"keyguard:", start, end) >= 0 or data.find(_NOTEBOOK, start, end) >= 0

    def decides(self, part: bytes) -> bool:
        """Tell whether `gist` sums up anything of what `apart` gave."""
        about = self._pattern("about")
        return self._deciding.search(part) is not None or about.search(part) is not None or _NOTEBOOK in part

    def leaks(self, gist: bytes, text: bytes) -> bool:
        """Tell whether a text may hold a key, searching only the first of those with the same deciding lines."""
        if gist not in self._told:
            # Read as Python: all that can be found elsewhere is found in it, too.
            signals = self.scan(text, "python")
            self._told[gist] = bool(signals.keys or signals.plugins or signals.python)
        return self._told[gist]

    def _widely(self, signals: Signals, data: bytes, kind: str) -> Signals:
        """What a narrow look found, and whether a file that does not talk to models sends requests all the same."""
        from keyguard.source import searchable  # noqa: PLC0415  # in memory already

        if signals.connects or signals.is_binary:
            return signals
        test = self._test("requests" if kind in _PYTHON else "unchecked")
        return signals._replace(requests=test.match(searchable(data) or b"") is not None)

    def matters(self, text: str) -> bool:
        """Tell whether a part of a text, such as a function's body, can hold a finding of its own."""
        data = text.encode("utf-8", "surrogatepass")
        return (self._first_of_all(data) if self._small else self._first.search(data)) is not None

    def connects(self, text: str) -> bool:
        """Tell whether a part of Python, such as a function's body, says anything about a connection by itself."""
        data = text.encode("utf-8", "surrogatepass")
        return self._test("calls").match(data) is not None or self._around_calls.match(data) is not None

    def _first_of_all(self, flat: bytes) -> bool | None:
        """None when nothing is there; else whether all there is could matter to Python or to our own marks only."""
        if self._small and not self._leaks_only:
            if any(test is not None and test.match(flat) is not None for test in self._strong_parts()):
                return False
            return True if self._extra.match(flat) is not None else None
        python = False
        for found in self._first.finditer(flat):
            text = found.group()
            if not (b"environ" in text or b"[::-1]" in text or text.startswith(_GENERIC)):
                return False
            python = True
        return True if python else None

    def _closer(self, flat: bytes, kind: str, *, scripts: bool, env: bool) -> Signals:
        model = any(test.match(flat) is not None for test in self._tests_of(ABOUT))
        talks = model and any(test.match(flat) is not None for test in self._tests_of(_TALKS))
        encoded = self._holds_encoded(flat)
        named = not encoded and model and self._holds_named(flat)
        found = self._pattern("keys").search(flat) is not None
        python = self._python(flat, kind, talks=talks, encoded=encoded, named=named, found=found)
        return python._replace(
            keys=encoded or named or found,
            model=model,
            talks=talks,
            connects=self._connections and kind in _PYTHON and self._may_connect(flat, talks=talks),
            plugins=self._possible_plugins(flat),
            scripts=scripts,
            marks=b"keyguard:" in flat,
            env=env,
        )

    def _python(  # noqa: PLR0913  # what was found out already, one word each
        self,
        flat: bytes,
        kind: str,
        *,
        talks: bool = False,
        encoded: bool = False,
        named: bool = False,
        found: bool = False,
    ) -> Signals:
        """Tell whether a text must be parsed as Python, and what a quick look must find in it before."""
        if kind not in _PYTHON:
            return NOTHING
        pieces = self._test("pieces").match(flat) is not None
        if encoded or self._is_backwards(flat):
            return Signals(python=True, likely=True)
        # Of leaks alone, a literal of no known form counts where it may go to a client, and not for a variable's sake.
        dials = talks and (not self._leaks_only or self._test("dials").match(flat) is not None)
        given = (talks and (named or found)) or (dials and (pieces or self._holds_literal(flat)))
        looks = (
            *([FOUND] if found or named else []),
            *([GIVEN] if given else [HELD] if named else []),
            *([BUILT] if pieces and (dials or self._has_random_literal(flat, 16)) else []),
            *(() if self._leaks_only else self._showing(flat, talks=talks)),
        )
        return Signals(python=bool(looks), looks=looks)

    def _showing(self, flat: bytes, *, talks: bool) -> Iterator[str]:
        """Give the looks for what shows a key, or the whole environment, where it may be shown."""
        if self._whole_environment.search(flat) and self._shows_environment(flat):
            yield ENVIRONMENT
        if self._may_show(flat, model=talks):
            yield SHOWN

    def _may_connect(self, flat: bytes, *, talks: bool) -> bool:
        """Tell whether Python may call a model: it names one in full, or a path only model APIs have, and calls."""
        return (talks or _MODEL_PATH in flat) and self._test("calls").match(flat) is not None

    def _is_backwards(self, flat: bytes) -> bool:
        """Tell whether Python may hold a key that is written backwards."""
        return self._backwards.search(flat) is not None and self._test("reversed").match(flat) is not None

    def _holds_literal(self, flat: bytes) -> bool:
        """Tell whether Python has a literal, or two that make one, that may be a key of no known form."""
        return self._has_random_literal(flat, 20) or self._joined.search(flat) is not None

    def _may_show(self, flat: bytes, *, model: bool) -> bool:
        """Tell whether Python may show a key that it reads, or put it into a URL."""
        if not model and self._generic_variable.search(flat) is None:
            return False
        return self._variable.search(flat) is not None and self._sink.search(flat) is not None

    def _shows_environment(self, flat: bytes) -> bool:
        """Tell whether the whole environment, or a copy of it under a name, stands in a call that shows things."""
        if self._environment_shown.search(flat) is not None:
            return True
        names = {name for found in self._environment_named.finditer(flat) for name in found.groups() if name}
        if len(names) > _MANY_NAMES:
            return True
        if not names:
            return False
        shown = "|".join(sorted(name.decode("ascii") for name in names))
        return compiled(rf"{_PRINTER}\([^\n]{{0,160}}\b(?:{shown})\b").search(flat) is not None

    def _has_random_literal(self, flat: bytes, least: int) -> bool:
        """Tell whether a literal changes between letters and digits as a random text does."""
        return any(found.end() - found.start() - 2 >= least for found in self._literal.finditer(flat))

    def _holds_named(self, flat: bytes) -> bool:
        """Tell whether a value that is not all words follows a credential's name."""
        for found in self._pattern("named").finditer(flat):
            start = found.start(1) if found.start(1) >= 0 else found.start(2)
            if may_be_random(flat[start : start + JUDGED].decode("latin-1")):
                return True
        return False

    def _holds_encoded(self, flat: bytes) -> bool:
        """Tell whether some base64 text decodes to a key."""
        keys = self._pattern("keys")
        return any(
            keys.search(decoded_at(flat, found.start(1))[0]) is not None
            for found in self._pattern("encoded").finditer(flat)
        )

    def _possible_plugins(self, flat: bytes) -> frozenset[str]:
        certain = {name for name in self._plugins if not PLUGINS[name][2]}
        if self._any_plugin is not None and self._any_plugin.match(flat) is not None:
            certain.update(name for name, pattern in self._by_plugin.items() if pattern.search(flat) is not None)
        return frozenset(certain)

    @cached_property
    def _told(self) -> dict[bytes, bool]:
        return {}

    # -- patterns, each compiled once --------------------------------------------------------------------------------

    @cached_property
    def _first(self) -> Any:  # noqa: ANN401  # re2 ships no types
        if self._leaks_only:
            return compiled("|".join([self._strong.pattern.decode("utf-8"), _LITERAL, _JOINED]))
        return compiled("|".join([self._catalogue.patterns["first"], *self._triggers, *_EXTRA]))

    def _strong_parts(self) -> Iterator[Any]:
        """What `_first` looks for at once, what is found most often first."""
        yield from self._tests_of(ABOUT)
        yield self._test("hints")
        yield self._any_plugin

    @cached_property
    def _strong(self) -> Any:  # noqa: ANN401  # re2 ships no types
        return compiled("|".join([self._catalogue.patterns["leak"], *self._triggers, _BACKWARDS]))

    @property
    def _triggers(self) -> list[str]:
        closer = CLOSER if self._leaks_only else {}
        return [closer.get(name, PLUGINS[name][2]) for name in sorted(self._plugins) if PLUGINS[name][2]]

    @cached_property
    def _compiled(self) -> dict[str, Any]:
        return {}

    def _pattern(self, name: str) -> Any:  # noqa: ANN401  # re2 ships no types
        if name not in self._compiled:
            self._compiled[name] = compiled(self._catalogue.patterns[name])
        return self._compiled[name]

    def _test(self, name: str) -> Any:  # noqa: ANN401  # re2 ships no types
        if name not in self._tests:
            self._tests[name] = anywhere(self._catalogue.patterns[name])
        return self._tests[name]

    def _tests_of(self, names: Iterable[str]) -> Iterator[Any]:
        """Give the tests that stand for one together, each compiled when those before it found nothing."""
        return map(self._test, names)

    @cached_property
    def _tests(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _any_plugin(self) -> Any:  # noqa: ANN401  # re2 ships no types
        return anywhere("|".join(self._triggers)) if self._triggers else None

    @cached_property
    def _by_plugin(self) -> dict[str, Any]:
        return {name: compiled(PLUGINS[name][2]) for name in sorted(self._plugins) if PLUGINS[name][2]}

    @cached_property
    def _deciding(self) -> Any:  # noqa: ANN401  # re2 ships no types
        return compiled("|".join([self._first.pattern.decode("utf-8"), _MARKS]))

    _extra = cached_property(lambda _: anywhere("|".join(_EXTRA)))
    _around_calls = cached_property(lambda _: anywhere(_AROUND_CALLS))
    _script = cached_property(lambda _: anywhere(f"(?m:{_SCRIPT})"))
    _whole_environment = cached_property(lambda _: compiled(_WHOLE_ENVIRONMENT))
    _environment_shown = cached_property(lambda _: compiled(_ENVIRONMENT_SHOWN))
    _environment_named = cached_property(lambda _: compiled(f"(?m:{_ENVIRONMENT_NAMED})"))
    _generic_variable = cached_property(lambda _: compiled(_GENERIC_VARIABLE))
    _variable = cached_property(lambda _: compiled(_VARIABLE))
    _sink = cached_property(lambda _: compiled(_SINK))
    _backwards = cached_property(lambda _: compiled(_BACKWARDS))
    _joined = cached_property(lambda _: compiled(_JOINED))
    _literal = cached_property(lambda _: compiled(_LITERAL))


def _again(catalogue: Catalogue, plugins: frozenset[str], options: dict[str, bool]) -> Prefilter:
    return Prefilter(catalogue, plugins, **options)


def _below(data: bytes, place: int) -> int:
    """Find the end of the line that holds a place, and of the next one that may belong to the same match."""
    end = data.find(b"\n", place)
    while end >= 0:
        start = end + 1
        end = data.find(b"\n", start)
        if data[start:end].strip(_BETWEEN):
            break
    return end + 1 if end >= 0 else len(data)


def _above(data: bytes, place: int) -> int:
    """Find the line end above the line that holds a place, and above two more lines that are no blanks."""
    start = data.rfind(b"\n", 0, place)
    lines = 0
    while start > 0 and lines < _LINES_ABOVE:
        end = start
        start = data.rfind(b"\n", 0, end)
        lines += bool(data[start + 1 : end].strip(_BETWEEN))
    return max(start, 0)


_LINES_ABOVE = 2  # one for a match that ends below, one for what `gist` adds to one that ends above
_BETWEEN = b" \t\r\\+"  # what may stand on the lines between two literals that are added together
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_STANDARD = bytes.maketrans(b"-_", b"+/")
JUDGED = 64  # characters of a value that are looked at
_RUN_OF_VALUE = regex(r"[A-Za-z0-9+/=_.:-]+")
_NO_WORD = regex(r"[0-9]|[A-Z]{2}")
_MANY_NAMES = 64  # no code gives the environment so many names; a pattern of them would be slow to compile
_ENCODED = 480  # characters of base64 that are decoded: three times the longest common key


def may_be_random(text: str) -> bool:
    """Tell whether a text has a digit or two capitals in a row: names in code rarely do, random texts nearly always."""
    run = _RUN_OF_VALUE.match(text)
    return run is not None and _NO_WORD.search(run[0]) is not None


def decoded_at(flat: bytes, start: int) -> tuple[bytes, int]:
    """Decode the base64 text, URL-safe or not, that begins at `start`; give the bytes and where the text ends."""
    from binascii import a2b_base64  # noqa: PLC0415  # only where such a text may be

    text = flat[start : start + _ENCODED].translate(_STANDARD)
    size = len(text) - len(text.lstrip(_BASE64))
    decoded = a2b_base64(text[:size] + b"=" * (-size % 4)) if size % 4 != 1 else a2b_base64(text[: size - 1])
    padding = len(flat[start + size : start + size + 2]) - len(flat[start + size : start + size + 2].lstrip(b"="))
    return decoded, start + size + padding


def prefilter_of(catalogue: Catalogue, found: Sequence[Settings], size: int | None = None) -> Prefilter:
    """Search for what any of some settings turns on; each file's own settings decide again.

    `size` is the number of bytes there will be to search, if it is known.
    """
    on = {name for settings in found for name in settings.plugins_on}
    off = frozenset.intersection(*(frozenset(settings.plugins_off) for settings in found)) if found else frozenset()
    connections = any(settings.may_select(family) for settings in found for family in _CONNECTIONS)
    wide = any(
        settings.is_selected(rule) and settings.is_shown(rule, Severity.LOW, Confidence.HIGH)
        for settings in found
        for rule in WIDE
    )
    plugins = frozenset((default_plugins() | on) - off)
    small = size is not None and size <= SMALL
    return Prefilter(catalogue, plugins, connections=connections, wide=wide, small=small)


def default_plugins() -> frozenset[str]:
    """The detect-secrets plug-ins that rule KG108 uses unless a setting says otherwise."""
    return frozenset(name for name, (_, on, _) in PLUGINS.items() if on)


def anywhere(pattern: str) -> Any:  # noqa: ANN401  # re2 ships no types
    """Compile a pattern for `match` to tell whether it is found anywhere.

    Where a search begins in the text is found by a second automaton that runs backwards; this needs none, which is a
    sixth of the time of a small run.
    """
    return compiled(f"(?s:.*?)(?:{pattern})")


def compiled(pattern: str) -> Any:  # noqa: ANN401  # re2 ships no types
    """Compile a pattern for searching bytes, each of which is one character."""
    import re2  # noqa: PLC0415  # 9 ms that a run without a file to read does not pay

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY
    return re2.compile(pattern.encode("utf-8"), options)
