"""What a path alone says of a file: its kind, its role in the project, and how its comments are written."""

from __future__ import annotations

import re

# Suffixes that a copy carries behind its real one: `settings.py.example`, `.env.j2`.
_TEMPLATE_SUFFIXES = frozenset({"j2", "jinja", "jinja2", "tmpl", "tpl", "template", "in", "erb", "mustache", "hbs"})
_COPY_SUFFIXES = frozenset({"example", "sample", "dist", "default", "bak", "backup", "old", "orig", "save"})

_KIND_BY_SUFFIX = {
    suffix: kind
    for kind, suffixes in {
        "python": "py pyi pyw py3 ipy wsgi",
        "cython": "pyx pxd pxi",
        "notebook": "ipynb",
        "env": "env",
        "shell": "sh bash zsh ksh fish csh dash bats envrc profile bashrc zshrc",
        "powershell": "ps1 psm1 psd1",
        "batch": "bat cmd",
        "dockerfile": "dockerfile containerfile",
        "yaml": "yaml yml",
        "json": "json jsonc json5 jsonl ndjson geojson webmanifest har",
        "toml": "toml",
        "ini": "ini cfg conf config cnf properties desktop service timer reg inf editorconfig npmrc pypirc netrc",
        "markdown": "md mdx markdown mdown mkd rmd qmd mdc",
        "rst": "rst rest",
        "javascript": "js jsx mjs cjs ts tsx mts cts",
        "css": "css scss sass less styl",
        "html": "html htm xhtml vue svelte astro jsp ejs",
        "xml": "xml xsd xsl xslt svg plist csproj vbproj fsproj props targets resx xaml pom iml",
        "csv": "csv tsv psv",
        "lock": "lock lockb lockfile",
        "map": "map",
        "go": "go",
        "java": "java kt kts scala groovy gradle",
        "csharp": "cs csx",
        "c": "c h cc cpp cxx hh hpp hxx m mm ino cu cuh",
        "rust": "rs",
        "swift": "swift",
        "dart": "dart",
        "php": "php phtml",
        "ruby": "rb rake gemspec",
        "perl": "pl pm",
        "lua": "lua",
        "r": "r",
        "julia": "jl",
        "elixir": "ex exs",
        "sql": "sql",
        "haskell": "hs elm",
        "lisp": "el lisp clj cljs cljc edn scm",
        "tex": "tex bib sty",
        "terraform": "tf tfvars hcl nomad",
        "make": "mk mak cmake",
        "graphql": "graphql gql prisma",
        "starlark": "bzl bazel star",
    }.items()
    for suffix in suffixes.split()
}

_KIND_BY_NAME = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "makefile": "make",
    "gnumakefile": "make",
    "justfile": "make",
    "cmakelists.txt": "make",
    "procfile": "yaml",
    "pipfile": "toml",
    "jenkinsfile": "java",
    "vagrantfile": "ruby",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "podfile": "ruby",
    "brewfile": "ruby",
    "sconstruct": "python",
    "sconscript": "python",
    "snakefile": "starlark",
    "tiltfile": "starlark",
    "build": "text",
    ".envrc": "shell",
    ".profile": "shell",
    ".bash_profile": "shell",
    ".bash_history": "shell",
    ".zsh_history": "shell",
    ".npmrc": "ini",
    ".netrc": "ini",
    ".gitconfig": "ini",
    ".babelrc": "json",
    ".eslintrc": "json",
    ".prettierrc": "yaml",
    # Lock files whose own suffix says something else.
    "package-lock.json": "lock",
    "npm-shrinkwrap.json": "lock",
    "pnpm-lock.yaml": "lock",
    "packages.lock.json": "lock",
    "conda-lock.yml": "lock",
    "gradle.lockfile": "lock",
    "go.sum": "lock",
    "go.work.sum": "lock",
    "cargo.lock": "lock",
    "package.resolved": "lock",
    ".terraform.lock.hcl": "lock",
    "pylock.toml": "lock",
}

_KIND_BY_INTERPRETER = (
    ("python", "python"),
    ("pypy", "python"),
    ("bash", "shell"),
    ("zsh", "shell"),
    ("ksh", "shell"),
    ("dash", "shell"),
    ("fish", "shell"),
    ("sh", "shell"),
    ("node", "javascript"),
    ("deno", "javascript"),
    ("bun", "javascript"),
    ("pwsh", "powershell"),
    ("ruby", "ruby"),
    ("perl", "perl"),
    ("php", "php"),
    ("rscript", "r"),
    ("lua", "lua"),
    ("make", "make"),
)

_HASH = ("#", "")
_SLASHES = ("//", "")
_DASHES = ("--", "")
_SEMICOLON = (";", "")
_C_BLOCK = ("/*", "*/")
_ARROW = ("<!--", "-->")

# The first form of a kind is the one to write a new comment in. JSON has none by its standard, but the many
# settings files that are JSON with comments use `//`. A Markdown page holds code with comments of its own.
_COMMENT_FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "shell": (_HASH,),
    "powershell": (_HASH, ("<#", "#>")),
    "batch": (("REM", ""), ("::", "")),
    "json": (_SLASHES, _C_BLOCK),
    "ini": (_HASH, _SEMICOLON),
    "markdown": (_ARROW, _HASH, _SLASHES),
    "rst": (("..", ""), _HASH),
    "css": (_C_BLOCK, _SLASHES),
    "html": (_ARROW, _SLASHES, _C_BLOCK),
    "xml": (_ARROW,),
    "php": (_SLASHES, _HASH, _C_BLOCK),
    "lua": (_DASHES,),
    "sql": (_DASHES, _C_BLOCK, _HASH),
    "haskell": (_DASHES,),
    "lisp": (_SEMICOLON,),
    "tex": (("%", ""),),
    "terraform": (_HASH, _SLASHES, _C_BLOCK),
    "graphql": (_HASH, _SLASHES),
    **dict.fromkeys(
        ("javascript", "go", "java", "csharp", "c", "rust", "swift", "dart", "map"),
        (_SLASHES, _C_BLOCK),
    ),
    **dict.fromkeys(
        ("python", "cython", "env", "dockerfile", "yaml", "toml", "ruby", "perl", "r", "julia", "elixir", "make"),
        (_HASH,),
    ),
    "starlark": (_HASH,),
}
_ANY_COMMENT_FORM = (_HASH, _SLASHES, _ARROW, _SEMICOLON)

_TEMPLATE_WORDS = frozenset(
    {"example", "examples", "sample", "samples", "template", "templates", "tmpl", "tpl", "dist", "default", "defaults"},
)
_ENV_STAGES = frozenset({"local", "dev", "development", "prod", "production", "staging", "stage", "test", "ci"})
_ENV_NAMES = frozenset({".envrc", ".flaskenv", ".dev.vars", "dotenv", ".dotenv"})

_TEST_FOLDERS = frozenset(
    {"test", "tests", "testing", "__tests__", "__mocks__", "spec", "specs", "e2e", "fixtures", "testdata", "test_data"},
)
_EXAMPLE_FOLDERS = frozenset({"example", "examples", "sample", "samples", "demo", "demos", "tutorial", "tutorials"})
_DOCS_FOLDERS = frozenset({"doc", "docs", "documentation"})
_DOCS_KINDS = frozenset({"markdown", "rst"})


def _name(path: str) -> str:
    return path.rpartition("/")[2].lower()


def kind_of(path: str, first_bytes: bytes = b"") -> str:
    """Name the kind of file a path says it is, `text` if it says nothing.

    Args:
        path: a path with `/`; only its last part matters.
        first_bytes: the beginning of the content; a `#!` line decides where the name does not.
    """
    name = _name(path)
    if is_env_file(name):
        return "shell" if name == ".envrc" else "env"
    suffix = name.rpartition(".")[2]
    kind = _KIND_BY_NAME.get(name) or (_KIND_BY_SUFFIX.get(suffix) if "." in name else None)
    if kind is not None:
        return kind
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if "." in name and (suffix in _COPY_SUFFIXES or suffix in _TEMPLATE_SUFFIXES):
        inner = kind_of(name[: -len(suffix) - 1])
        # A template of Python does not parse; its text is still worth reading.
        return "text" if inner == "python" and suffix in _TEMPLATE_SUFFIXES else inner
    return _kind_by_shebang(first_bytes) if first_bytes[:2] == b"#!" else "text"


def _kind_by_shebang(first_bytes: bytes) -> str:
    line = first_bytes[:256].split(b"\n", 1)[0].decode("ascii", "replace")
    words = line[2:].replace("/", " ").lower().split()
    for word in words:
        for start, kind in _KIND_BY_INTERPRETER:
            if word == start or (word.startswith(start) and word[len(start) :].strip("0123456789.") == ""):
                return kind
    return "text"


def comment_forms(kind: str) -> tuple[tuple[str, str], ...]:
    """Give the (opening, closing) marks of a kind's comments; the closing is empty where a line's end closes it."""
    return _COMMENT_FORMS.get(kind, _ANY_COMMENT_FORM)


def is_env_file(path: str) -> bool:
    """Tell whether a file's name says that it holds environment variables (`.env`, `.env.local`, `prod.env` …)."""
    name = _name(path)
    if "env" not in name and name not in _ENV_NAMES:
        return False
    if name in _ENV_NAMES or name == ".env" or name.endswith(".env"):
        return True
    if name.startswith((".env.", ".env-", ".env_")):
        # `.env.ts` or `.env.d.ts` are code that happens to be named after it.
        return _KIND_BY_SUFFIX.get(name.rpartition(".")[2], "env") in {"env", "lock"}
    head, *rest = re.split(r"[._-]", name)
    return head in {"env", "dotenv"} and len(rest) == 1 and (rest[0] in _TEMPLATE_WORDS or rest[0] in _ENV_STAGES)


def is_env_template(path: str) -> bool:
    """Tell whether an env file is one to copy from (`.env.example`, `.env.sample`, `template.env` …)."""
    return is_env_file(path) and not _TEMPLATE_WORDS.isdisjoint(re.split(r"[._-]", _name(path)))


def is_minified(path: str) -> bool:
    """Tell whether a file's name says that a tool packed it for browsers."""
    name = _name(path)
    return name.endswith(".map") or ".min." in name or ".bundle." in name or ".chunk." in name


def is_ci_file(path: str) -> bool:
    """Tell whether a path is where a build service looks for its steps."""
    place = "/" + path.lower()
    name = _name(path)
    return (
        ("/.github/" in place or "/.gitea/" in place or "/.forgejo/" in place or "/.circleci/" in place)
        and name.endswith((".yml", ".yaml"))
    ) or name in {
        "action.yml",
        "action.yaml",
        ".gitlab-ci.yml",
        ".gitlab-ci.yaml",
        ".travis.yml",
        ".drone.yml",
        ".woodpecker.yml",
        "appveyor.yml",
        "azure-pipelines.yml",
        "azure-pipelines.yaml",
        "bitbucket-pipelines.yml",
        "buildspec.yml",
        "cloudbuild.yaml",
        "jenkinsfile",
    }


def is_compose_file(path: str) -> bool:
    """Tell whether a path is a compose file of containers."""
    name = _name(path)
    return name.endswith((".yml", ".yaml")) and name.startswith(("docker-compose", "compose.", "compose-"))


def role_of(path: str) -> str:
    """Name a file's role in its project: `test`, `example`, `docs` or `code`.

    Args:
        path: the path below the project's root, with `/`; folders above the project must not decide.
    """
    lowered = path.lower()
    *folders, name = lowered.split("/")
    stem, _, suffix = name.rpartition(".")
    if (
        not _TEST_FOLDERS.isdisjoint(folders)
        or name.startswith(("test_", "conftest."))
        or name in {"tests.py", "test.py"}
        or stem.endswith(("_test", ".test", ".spec", "-test", "_spec"))
    ):
        return "test"
    if not _EXAMPLE_FOLDERS.isdisjoint(folders) or suffix in {"example", "sample", "template", "dist"}:
        return "example"
    if is_env_template(name):
        return "example"
    if not _DOCS_FOLDERS.isdisjoint(folders) or _KIND_BY_SUFFIX.get(suffix) in _DOCS_KINDS:
        return "docs"
    return "code"
