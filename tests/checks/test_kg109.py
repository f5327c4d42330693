"""KG109: what scripts, images and CI steps print, and what only looks like it."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyguard.checks.kg109 import check
from keyguard.checks.scripts import printed_by
from keyguard.source import decode, notebook_parts
from tests.checks.facts import CATALOGUE, facts_of, hits
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path


def printed(path: str, text: str) -> list[tuple[str | None, str, str]]:
    """Case, printed text and name of each hit."""
    return [(hit.case, text[hit.span.start : hit.span.end], hit.values["name"]) for hit in hits(check, path, text)]


def shown(path: str, text: str) -> list[str]:
    """The printed texts."""
    return [found for _, found, _ in printed(path, text)]


QUIET_SHELL = {
    "a name is no value": 'echo "OPENAI_API_KEY is not set"',
    "single quotes keep a dollar": "echo '$OPENAI_API_KEY'",
    "a backslash keeps a dollar": 'echo "\\$OPENAI_API_KEY" \\$OPENAI_API_KEY',
    "into the env file": 'echo "OPENAI_API_KEY=$OPENAI_API_KEY" >> .env',
    "into the next steps": 'echo "OPENAI_API_KEY=$OPENAI_API_KEY" >> "$GITHUB_ENV"',
    "into a profile": "echo \"export OPENAI_API_KEY='$OPENAI_API_KEY'\" >> ~/.bashrc",
    "into a file named before": '>key.txt echo "$OPENAI_API_KEY"',
    "a command reads it": 'echo "$OPENAI_API_KEY" | docker login -u me --password-stdin',
    "a store takes it": 'printf %s "$OPENAI_API_KEY" | gh secret set OPENAI_API_KEY',
    "a filter, then a command": 'echo "$OPENAI_API_KEY" | tr -d "\\n" | gh secret set OPENAI_API_KEY',
    "set or not": 'echo "key: ${OPENAI_API_KEY:+set}" "${OPENAI_API_KEY+set}"',
    "its length": 'echo "${#OPENAI_API_KEY} characters"',
    "its first four": 'echo "${OPENAI_API_KEY:0:4}..."',
    "its last four": 'echo "...${OPENAI_API_KEY: -4}" "${OPENAI_API_KEY:(-4)}"',
    "its tail by a pattern": 'echo "${OPENAI_API_KEY#"${OPENAI_API_KEY%????}"}" > /dev/null',
    "stars": 'echo "${OPENAI_API_KEY//?/*}"',
    "its prefix": 'echo "${OPENAI_API_KEY%%-*}"',
    "four by printf": 'printf "%.4s…\\n" "$OPENAI_API_KEY"',
    "four by cut": 'echo "$OPENAI_API_KEY" | cut -c1-4',
    "four by head": 'echo "$OPENAI_API_KEY" | head -c 4',
    "stars by sed": 'echo "$OPENAI_API_KEY" | sed "s/./*/g"',
    "a checksum": 'echo -n "$OPENAI_API_KEY" | sha256sum',
    "its length by wc": 'echo -n "$OPENAI_API_KEY" | wc -c',
    "is it there": 'if [ -z "$OPENAI_API_KEY" ]; then echo "OPENAI_API_KEY is missing"; exit 1; fi',
    "is it there, shorter": '[[ -n $OPENAI_API_KEY ]] && echo "found" || echo "none"',
    "a comment": "# echo $OPENAI_API_KEY",
    "a comment behind a command": "ls # echo $OPENAI_API_KEY",
    "into nothing": "echo $OPENAI_API_KEY > /dev/null 2>&1",
    "both into nothing": "echo $OPENAI_API_KEY &> /dev/null",
    "a group into a file": '{\n  echo "A=1"\n  echo "OPENAI_API_KEY=$OPENAI_API_KEY"\n} > .env',
    "a subshell into a file": '(echo "A=1"; echo "OPENAI_API_KEY=$OPENAI_API_KEY") >> .env',
    "a loop into a file": 'for n in a b; do echo "$n=$OPENAI_API_KEY"; done > .env',
    "a condition into a file": 'if true; then echo "$OPENAI_API_KEY"; fi > key.txt',
    "a document into a file": "cat > .env <<EOF\nOPENAI_API_KEY=$OPENAI_API_KEY\nEOF\necho done",
    "a document into a file, other order": "cat <<-EOF > .env\n\tOPENAI_API_KEY=$OPENAI_API_KEY\n\tEOF\necho done",
    "a document nothing expands in": "cat <<'EOF'\nexport OPENAI_API_KEY=$OPENAI_API_KEY\nEOF",
    "a document for a command": 'kubectl apply -f - <<EOF\nkey: "$OPENAI_API_KEY"\nEOF',
    "a document through a pipe": "cat <<EOF | kubectl apply -f -\nkey: $OPENAI_API_KEY\nEOF",
    "a document through tee": "sudo tee /etc/app.env > /dev/null <<EOF\nOPENAI_API_KEY=$OPENAI_API_KEY\nEOF",
    "two documents": "cat <<A > a; cat <<B > b\n$OPENAI_API_KEY\nA\n$OPENAI_API_KEY\nB\n",
    "captured": 'hash=$(echo "$OPENAI_API_KEY" | sha256sum)',
    "captured by backticks": "copy=`echo $OPENAI_API_KEY`",
    "a function that gives a value": 'get_key() {\n  echo "$OPENAI_API_KEY"\n}\nkey=$(get_key)',
    "a function that others call": 'read_key() {\n  printf %s "$OPENAI_API_KEY"\n}',
    "a function that gives a value with others": (
        'auth() {\n  printf "<a>%s</a>" "$API_TOKEN"\n}\n'
        'body() {\n  printf "<b>%s %s</b>" "$(auth)" "$1"\n}\nx=$(body 1)'
    ),
    "a function into a file": 'render() {\n  echo "key=$OPENAI_API_KEY"\n}\nrender > app.conf',
    "handed on": 'curl -s -H "Authorization: Bearer $OPENAI_API_KEY" https://api.openai.com/v1/models',
    "exported": 'export OPENAI_API_KEY="$OPENAI_API_KEY"\nexport OPENAI_API_KEY',
    "loaded": "set -a; source .env; set +a\nexport $(grep -v '^#' .env | xargs)",
    "a template shown": "cat .env.example",
    "names only": "cut -d= -f1 .env\ncat .env | cut -d= -f1\nenv | cut -d= -f1\nenv | sed 's/=.*//' ",
    "is it among them": "env | grep -q OPENAI_API_KEY && echo yes",
    "other variables": 'echo "$HOME" "$OPENAI_BASE_URL" "$OPENAI_MODEL" "$MAX_TOKENS" "$cache_key"\nprintenv PATH',
    "other parts of the environment": "export OPENAI_API_KEY\nenv | grep -i proxy",
    "a command's environment": "env OPENAI_API_KEY=$OPENAI_API_KEY python app.py",
    "an environment without keys": "printenv\nenv\nset",
    "an environment into a file": "export OPENAI_API_KEY\nenv > snapshot",
    "options of the shell": "set -euo pipefail\nset -a\ncurl -H $OPENAI_API_KEY x",
    "the trace is off": "set -x\nls\nset +x\ncurl -H $OPENAI_API_KEY x",
    "the trace is off, quietly": "set -x\nls\n{ set +x; } 2>/dev/null\ncurl -H $OPENAI_API_KEY x",
    "the trace stays in its shell": "(set -x; ls)\ncurl -H $OPENAI_API_KEY x",
    "a trace that sees no key": "set -x\npip install openai\necho ${OPENAI_API_KEY:+set}",
    "arguments": "set -- a b\nset x",
    "a mask for the log": 'echo "::add-mask::$OPENAI_API_KEY"',
    "a case": 'case "$OPENAI_API_KEY" in\n  sk-*) echo good ;;\n  *) echo bad ;;\nesac',
    "into a variable": 'printf -v header "Bearer %s" "$OPENAI_API_KEY"',
    "a script for another language": "python - <<EOF\nkey = '$OPENAI_API_KEY'\nEOF",
    "a plain word": "cat environment.yml\nhead README.env.md",
    "a token of another kind": 'echo "$ENTRY_TOKEN" "$NEXT_PAGE_TOKEN" "$NEXT_TOKEN"',
    "given back to something else": 'key=$OPENAI_API_KEY\nkey=none\necho "$key"',
}


@pytest.mark.parametrize("text", QUIET_SHELL.values(), ids=QUIET_SHELL)
def test_shell_that_shows_nothing(text: str) -> None:
    assert printed("run.sh", f"#!/bin/bash\n{text}\n") == []


LOUD_SHELL = {
    "plain": ("echo $OPENAI_API_KEY", "$OPENAI_API_KEY"),
    "in a sentence": ('echo "Your key: ${OPENAI_API_KEY}!"', "${OPENAI_API_KEY}"),
    "by printf": ("printf '%s\\n' \"$ANTHROPIC_API_KEY\"", "$ANTHROPIC_API_KEY"),
    "by printenv": ("printenv OPENAI_API_KEY", "printenv OPENAI_API_KEY"),
    "with a default": ('echo "${OPENAI_API_KEY:-none}"', "${OPENAI_API_KEY:-none}"),
    "as a default": ('echo "${KEY:-$OPENAI_API_KEY}"', "$OPENAI_API_KEY"),
    "half of it": ('echo "${OPENAI_API_KEY:0:24}"', "${OPENAI_API_KEY:0:24}"),
    "without its prefix": ('echo "${OPENAI_API_KEY#sk-}"', "${OPENAI_API_KEY#sk-}"),
    "to the other stream": ("echo $OPENAI_API_KEY >&2", "$OPENAI_API_KEY"),
    "to the terminal": ("echo $OPENAI_API_KEY > /dev/tty", "$OPENAI_API_KEY"),
    "only errors are hidden": ("echo $OPENAI_API_KEY 2>/dev/null", "$OPENAI_API_KEY"),
    "to the job's summary": ('echo "$OPENAI_API_KEY" >> "$GITHUB_STEP_SUMMARY"', "$OPENAI_API_KEY"),
    "a file and the screen": ('echo "$OPENAI_API_KEY" | tee -a log', "$OPENAI_API_KEY"),
    "in base64": ('echo "$OPENAI_API_KEY" | base64', "$OPENAI_API_KEY"),
    "in a list": ("true && echo $OPENAI_API_KEY || false", "$OPENAI_API_KEY"),
    "in a condition": ('if [ -n "$1" ]; then\n  echo "$OPENAI_API_KEY"\nfi', "$OPENAI_API_KEY"),
    "in a loop": ('while true; do echo "$HF_TOKEN"; done', "$HF_TOKEN"),
    "in a case": ("case $1 in\n  show) echo $OPENAI_API_KEY ;;\nesac", "$OPENAI_API_KEY"),
    "in a subshell": ("(cd /tmp && echo $OPENAI_API_KEY)", "$OPENAI_API_KEY"),
    "in a function": ('show() {\n  echo "$OPENAI_API_KEY"\n}\nshow', "$OPENAI_API_KEY"),
    "in a function on one line": ('show() { echo "$OPENAI_API_KEY"; }', "$OPENAI_API_KEY"),
    "through a function": ('log() {\n  echo "[app] $1"\n}\nlog "key $OPENAI_API_KEY"', "$OPENAI_API_KEY"),
    "a function that gives a value, shown": (
        'get_key() {\n  echo "$OPENAI_API_KEY"\n}\necho "$(get_key)"',
        "$OPENAI_API_KEY",
    ),
    "over two lines": ('echo "a" \\\n  "$OPENAI_API_KEY"', "$OPENAI_API_KEY"),
    "behind an apostrophe": ("echo it\\'s $OPENAI_API_KEY", "$OPENAI_API_KEY"),
    "behind a document": ("cat > x <<EOF\nit's\nEOF\necho $OPENAI_API_KEY", "$OPENAI_API_KEY"),
    "a document for the reader": ("cat <<EOF\nkey: $OPENAI_API_KEY\nEOF", "$OPENAI_API_KEY"),
    "a string for cat": ('cat <<< "$OPENAI_API_KEY"', "$OPENAI_API_KEY"),
    "under another name": ('key=$OPENAI_API_KEY\necho "using $key"', "$key"),
    "from a function": ('get_key() {\n  echo "$OPENAI_API_KEY"\n}\nkey=$(get_key)\necho "$key"', "$key"),
    "in a header": ('auth="Authorization: Bearer $OPENAI_API_KEY"; echo "$auth"', "$auth"),
    "in a script in quotes": ("bash -c 'echo $OPENAI_API_KEY'", "$OPENAI_API_KEY"),
    "by another user": ("sudo -E -u app echo $OPENAI_API_KEY", "$OPENAI_API_KEY"),
    "in a container": ("docker exec web printenv OPENAI_API_KEY", "printenv OPENAI_API_KEY"),
    "captured, but to the other stream": ('x=$(echo "$OPENAI_API_KEY" >&2)', "$OPENAI_API_KEY"),
    "a key of one's own": ('echo "$MY_SERVICE_API_KEY"', "$MY_SERVICE_API_KEY"),
    "a stage's key": ("echo $OPENAI_API_KEY_PROD", "$OPENAI_API_KEY_PROD"),
    "another credential": ("echo $ADMIN_PASSWORD", "$ADMIN_PASSWORD"),
    "the whole environment": ("export OPENAI_API_KEY\nprintenv", "printenv"),
    "the whole environment, sorted": ("export OPENAI_API_KEY\nenv | sort", "env"),
    "the part with the keys": ("export OPENAI_API_KEY\nenv | grep OPENAI", "env"),
    "all variables": ("OPENAI_API_KEY=$1\nset", "set"),
    "all exports": ("export OPENAI_API_KEY\nexport -p", "export -p"),
    "an env file": ("cat .env", "cat .env"),
    "an env file by its path": ("tail -n 5 deploy/.env.production", "tail -n 5 deploy/.env.production"),
    "an env file in a sentence": ('echo "$(cat .env)"', "cat .env"),
    "the keys of an env file": ("cat .env | grep KEY", "cat .env"),
    "a trace": ("set -x\ncurl -H $OPENAI_API_KEY x", "set -x"),
    "a trace among options": ("set -euxo pipefail\ncurl -H $OPENAI_API_KEY x", "set -euxo pipefail"),
    "a trace in words": ("set -o xtrace\nexport A=$OPENAI_API_KEY", "set -o xtrace"),
    "a trace that sees a test": ('set -x\n[ -n "$OPENAI_API_KEY" ]', "set -x"),
    "a trace of a script in quotes": ("bash -xc 'curl -H $OPENAI_API_KEY x'", "-xc"),
}


@pytest.mark.parametrize(("text", "found"), LOUD_SHELL.values(), ids=LOUD_SHELL)
def test_shell_that_shows_a_key(text: str, found: str) -> None:
    assert shown("run.sh", f"#!/bin/bash\n{text}\n") == [found]
    assert shown("run.sh", f"#!/bin/bash\r\n{text}\r\n".replace("\n", "\r\n").replace("\r\r", "\r")) == [found]


def test_the_first_line_can_turn_the_trace_on() -> None:
    assert shown("run.sh", "#!/bin/bash -ex\ncurl -H $OPENAI_API_KEY x\n") == ["-ex"]


def test_in_fish_set_x_exports() -> None:
    assert printed("config.fish", "set -x OPENAI_API_KEY (pass openai)\ncurl -H $OPENAI_API_KEY x\n") == []
    assert shown("config.fish", "echo $OPENAI_API_KEY\n") == ["$OPENAI_API_KEY"]


@pytest.mark.parametrize("path", ["README.md", "docs/setup.rst", "notes.txt", "app.py", "page.html", "data.json"])
def test_documentation_shows_and_does_not_run(path: str) -> None:
    assert printed(path, "echo $OPENAI_API_KEY\ncat .env\nprintenv OPENAI_API_KEY\n") == []


@pytest.mark.parametrize(
    ("text", "case", "name"),
    [
        ("echo $HF_TOKEN", "echo", "HF_TOKEN"),
        ("HF_TOKEN=$1\nenv", "environment", "HF_TOKEN"),
        ("source .env\nenv", "environment", ".env"),
        ("set -x\nrun $HF_TOKEN", "trace", "HF_TOKEN"),
        ("cat conf/.env", "file", ".env"),
    ],
)
def test_cases_and_names(text: str, case: str, name: str) -> None:
    assert [(found, named) for found, _, named in printed("a.sh", text)] == [(case, name)]


# PowerShell and batch ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'Write-Host "OPENAI_API_KEY is not set"',
        "Write-LoggingCommand -Event 'setvariable' -Data $env:OPENAI_API_KEY",
        "Write-Host '$env:OPENAI_API_KEY'",
        'Write-Host "`$env:OPENAI_API_KEY"',
        "# Write-Host $env:OPENAI_API_KEY",
        "<# Write-Host $env:OPENAI_API_KEY #>",
        '$env:OPENAI_API_KEY = Read-Host "Key"',
        "if ($env:OPENAI_API_KEY) { Write-Host 'set' }",
        "if (-not $env:OPENAI_API_KEY) { Write-Host 'missing'; exit 1 }",
        "Write-Host ([string]::IsNullOrEmpty($env:OPENAI_API_KEY))",
        'Write-Host "$($env:OPENAI_API_KEY.Length) characters"',
        "Write-Host $env:OPENAI_API_KEY.Substring(0, 4)",
        'Write-Host ($env:OPENAI_API_KEY -ne "")',
        '"OPENAI_API_KEY=$env:OPENAI_API_KEY" | Out-File .env -Append',
        'Write-Output "OPENAI_API_KEY=$env:OPENAI_API_KEY" >> $env:GITHUB_ENV',
        "echo $env:OPENAI_API_KEY | docker login --password-stdin",
        "Write-Output $env:OPENAI_API_KEY > $null",
        '$headers = @{ Authorization = "Bearer $env:OPENAI_API_KEY" }',
        "Invoke-RestMethod https://x -Headers @{ Authorization = $env:OPENAI_API_KEY }",
        "$env:OPENAI_API_KEY = 'x'\n$all = Get-ChildItem Env:",
        "$env:OPENAI_API_KEY = 'x'\nGet-ChildItem Env: | Select-Object Name",
        "Get-ChildItem Env:",
        "Get-ChildItem Env:PATH",
        "Get-Content .env | ForEach-Object { $name, $value = $_.Split('=') }\n$x = Get-Content .env",
        "Get-Content .env.example",
        "Write-Host $env:PATH $env:OPENAI_BASE_URL $env:TEMP",
        "foreach ($token in $tokens) {\n  Write-Host $token\n}",
    ],
)
def test_powershell_that_shows_nothing(text: str) -> None:
    assert [found for found in printed("run.ps1", text + "\n") if found[0] != "file"] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write-Host $env:OPENAI_API_KEY", "$env:OPENAI_API_KEY"),
        ('Write-Host "key: $env:OPENAI_API_KEY"', "$env:OPENAI_API_KEY"),
        ('Write-Output "key: ${env:OPENAI_API_KEY}"', "${env:OPENAI_API_KEY}"),
        ('echo "key: $($env:OPENAI_API_KEY)"', "$env:OPENAI_API_KEY"),
        ("$env:OPENAI_API_KEY", "$env:OPENAI_API_KEY"),
        ('[Console]::WriteLine("key $env:OPENAI_API_KEY")', "$env:OPENAI_API_KEY"),
        ("if ($x) {\n  Write-Host $Env:HF_TOKEN\n}", "$Env:HF_TOKEN"),
        ("$key = $env:OPENAI_API_KEY\nWrite-Host $key", "$key"),
        ("$apiKey = Read-Host\nWrite-Host $apiKey", "$apiKey"),
        ("$env:OPENAI_API_KEY = 'x'\nGet-ChildItem Env:", "Get-ChildItem Env:"),
        ("$env:OPENAI_API_KEY = 'x'\ngci env: | Sort-Object Name | Format-Table Name, Value", "gci env:"),
        ("Get-Item Env:OPENAI_API_KEY", "Get-Item Env:OPENAI_API_KEY"),
        ("Get-Content .env", "Get-Content .env"),
        ("Write-Host $env:OPENAI_API_KEY | Out-Host", "$env:OPENAI_API_KEY"),
    ],
)
def test_powershell_that_shows_a_key(text: str, found: str) -> None:
    assert shown("run.ps1", text + "\n") == [found]
    assert shown("run.ps1", text.replace("\n", "\r\n") + "\r\n") == [found]


@pytest.mark.parametrize(
    "text",
    [
        "echo OPENAI_API_KEY is not set",
        "rem echo %OPENAI_API_KEY%",
        ":: echo %OPENAI_API_KEY%",
        "echo OPENAI_API_KEY=%OPENAI_API_KEY%>> .env",
        "> .env echo OPENAI_API_KEY=%OPENAI_API_KEY%",
        "(\n  echo A=1\n  echo OPENAI_API_KEY=%OPENAI_API_KEY%\n) > .env",
        "echo %OPENAI_API_KEY% | docker login --password-stdin",
        "echo %OPENAI_API_KEY% > nul",
        "echo %OPENAI_API_KEY:~0,4%...",
        'if "%OPENAI_API_KEY%"=="" echo OPENAI_API_KEY is missing',
        "if not defined OPENAI_API_KEY (echo missing)",
        "set OPENAI_API_KEY=%1",
        "setx OPENAI_API_KEY %OPENAI_API_KEY%",
        "curl -H %OPENAI_API_KEY% https://x",
        "set /p OPENAI_API_KEY=Key: ",
        "set",
        "type .env.example",
        "@echo off",
        "echo %PATH% %OPENAI_BASE_URL%",
    ],
)
def test_batch_that_shows_nothing(text: str) -> None:
    assert printed("run.bat", text + "\n") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("echo %OPENAI_API_KEY%", "%OPENAI_API_KEY%"),
        ("@ECHO Key: %OPENAI_API_KEY%", "%OPENAI_API_KEY%"),
        ("echo !OPENAI_API_KEY!", "!OPENAI_API_KEY!"),
        ("if defined OPENAI_API_KEY (echo %OPENAI_API_KEY%)", "%OPENAI_API_KEY%"),
        ("call x && echo %OPENAI_API_KEY%", "%OPENAI_API_KEY%"),
        ("echo %OPENAI_API_KEY% 1>&2", "%OPENAI_API_KEY%"),
        ("set KEY=%OPENAI_API_KEY%\necho %KEY%", "%KEY%"),
        ("set OPENAI_API_KEY=%1\nset", "set"),
        ("set OPENAI_API_KEY", "set OPENAI_API_KEY"),
        ("type .env", "type .env"),
        ("echo a ^\n  %OPENAI_API_KEY%", "%OPENAI_API_KEY%"),
    ],
)
def test_batch_that_shows_a_key(text: str, found: str) -> None:
    assert shown("run.cmd", text + "\n") == [found]
    assert shown("run.cmd", text.replace("\n", "\r\n") + "\r\n") == [found]


# YAML ----------------------------------------------------------------------------------------------------------------

WORKFLOW = ".github/workflows/test.yml"


def workflow(step: str) -> str:
    head = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
    return head + textwrap.indent(textwrap.dedent(step).strip("\n"), "      ") + "\n"


@pytest.mark.parametrize(
    "step",
    [
        "- run: python -m app\n  env:\n    OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}",
        '- run: echo "OPENAI_API_KEY=${{ secrets.OPENAI_API_KEY }}" >> $GITHUB_ENV',
        '- run: |\n    echo "OPENAI_API_KEY=$OPENAI_API_KEY" >> .env\n    python -m app',
        "- name: echo $OPENAI_API_KEY\n  run: python -m app",
        "# - run: echo $OPENAI_API_KEY",
        "- run: |\n    # echo $OPENAI_API_KEY\n    ls",
        "- run: echo ${{ secrets.OPENAI_API_KEY != '' }}",
        "- run: echo ${{ secrets.OPENAI_API_KEY && 'set' || 'unset' }}",
        "- run: echo ${{ github.ref }} ${{ vars.MODEL }} ${{ secrets.DOCKER_USER }}",
        '- run: echo "::add-mask::${{ secrets.OPENAI_API_KEY }}"',
        "- run: echo '${{ secrets.OPENAI_API_KEY }}' | docker login --password-stdin",
        "- uses: some/action@v1\n  with:\n    api-key: ${{ secrets.OPENAI_API_KEY }}",
        "- run: |\n    import os\n    print('echo $OPENAI_API_KEY')\n  shell: python",
        "- run: set -x; ls\n- run: curl -H $OPENAI_API_KEY x",
        "- description: |\n    run: echo $OPENAI_API_KEY",
        "- run: \"echo 'the name is $OPENAI_API_KEY'\"",
    ],
)
def test_workflows_that_show_nothing(step: str) -> None:
    assert printed(WORKFLOW, workflow(step)) == []


@pytest.mark.parametrize(
    ("step", "case", "found"),
    [
        ("- run: echo ${{ secrets.OPENAI_API_KEY }}", "ci", "${{ secrets.OPENAI_API_KEY }}"),
        ("- run: echo ${{secrets['OPENAI_API_KEY']}}", "ci", "${{secrets['OPENAI_API_KEY']}}"),
        ("- run: echo '${{ secrets.OPENAI_API_KEY }}'", "ci", "${{ secrets.OPENAI_API_KEY }}"),
        ('- run: "echo \\"${{ secrets.OPENAI_API_KEY }}\\""', "ci", "${{ secrets.OPENAI_API_KEY }}"),
        ("- run: echo '${{ toJSON(secrets) }}'", "ci", "${{ toJSON(secrets) }}"),
        ("- run: |\n    ls\n    echo $OPENAI_API_KEY", "ci", "$OPENAI_API_KEY"),
        ("- run: >-\n    ls &&\n    echo $OPENAI_API_KEY", "ci", "$OPENAI_API_KEY"),
        ("- name: a\n  run: |\n    echo $OPENAI_API_KEY\n  shell: bash", "ci", "$OPENAI_API_KEY"),
        ("- run: Write-Host $env:OPENAI_API_KEY\n  shell: pwsh", "ci", "$env:OPENAI_API_KEY"),
        ("- run: echo %OPENAI_API_KEY%\n  shell: cmd", "ci", "%OPENAI_API_KEY%"),
        ("- run: echo $KEY\n  env:\n    KEY: ${{ secrets.OPENAI_API_KEY }}", "ci", "$KEY"),
        ("- run: env\n  env:\n    OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}", "environment", "env"),
        ("- run: |\n    set -x\n    curl -H $OPENAI_API_KEY x", "trace", "set -x"),
        ("- run: cat .env", "file", "cat .env"),
    ],
)
def test_workflows_that_show_a_key(step: str, case: str, found: str) -> None:
    text = workflow(step)
    assert [(one, other) for one, other, _ in printed(WORKFLOW, text)] == [(case, found)]
    assert shown(WORKFLOW, text.replace("\n", "\r\n")) == [found]


def test_a_pipeline_whose_items_share_a_shell() -> None:
    text = "test:\n  before_script:\n    - set -x\n    - pip install .\n    - curl -H $OPENAI_API_KEY x\n"
    assert shown(".gitlab-ci.yml", text) == ["set -x"]


def test_items_of_a_pipeline() -> None:
    text = "test:\n  script:\n  - echo a\n  - |\n    echo b\n    echo $OPENAI_API_KEY\n  - 'echo \"$HF_TOKEN\"'\n"
    assert shown(".gitlab-ci.yml", text) == ["$OPENAI_API_KEY", "$HF_TOKEN"]


def test_macros_of_a_pipeline() -> None:
    text = "steps:\n- script: echo $(OPENAI_API_KEY) $(pwd)\n"
    assert shown("azure-pipelines.yml", text) == ["$(OPENAI_API_KEY)"]


def test_compose_files() -> None:
    text = 'services:\n  web:\n    command: ["sh", "-c", "echo $$OPENAI_API_KEY && run"]\n'
    assert shown("docker-compose.yml", text) == ["$OPENAI_API_KEY"]
    text = "services:\n  web:\n    environment:\n      OPENAI_API_KEY: ${OPENAI_API_KEY}\n    command: serve\n"
    assert printed("docker-compose.yml", text) == []


# Images --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "ARG OPENAI_API_KEY",
        "ARG OPENAI_API_KEY=",
        'ENV OPENAI_API_KEY=""',
        "ENV OPENAI_API_KEY=your-key-here",
        "ENV OPENAI_API_KEY placeholder",
        "ENV OPENAI_BASE_URL=https://api.openai.com/v1 MODEL=$MODEL",
        "ENV TOKENIZERS_PARALLELISM=false MAX_TOKENS=4096",
        "# ENV OPENAI_API_KEY=$OPENAI_API_KEY",
        "RUN --mount=type=secret,id=OPENAI_API_KEY pip install .",
        'RUN --mount=type=secret,id=key OPENAI_API_KEY="$(cat /run/secrets/key)" python build.py',
        'RUN test -n "$OPENAI_API_KEY" || (echo "OPENAI_API_KEY is missing" && false)',
        "RUN set -ex; pip install openai",
        'CMD ["python", "-m", "app"]',
        'CMD ["echo", "$OPENAI_API_KEY"]',
        "RUN <<EOF\nset -e\npip install openai\nEOF",
        "COPY <<EOF /app/show.txt\nRUN echo $OPENAI_API_KEY\nEOF",
        "LABEL note='ENV OPENAI_API_KEY=$OPENAI_API_KEY'",
    ],
)
def test_images_that_hold_nothing(line: str) -> None:
    assert printed("Dockerfile", f"FROM python:3.12\n{line}\nWORKDIR /app\n") == []


@pytest.mark.parametrize(
    ("line", "case", "found"),
    [
        ("ENV OPENAI_API_KEY=$OPENAI_API_KEY", "image", "OPENAI_API_KEY=$OPENAI_API_KEY"),
        ("ENV OPENAI_API_KEY ${KEY}", "image", "OPENAI_API_KEY ${KEY}"),
        ('ENV A=1 \\\n    OPENAI_API_KEY="${KEY}"', "image", 'OPENAI_API_KEY="${KEY}"'),
        ("env MODEL=x HF_TOKEN=${HF_TOKEN}", "image", "HF_TOKEN=${HF_TOKEN}"),
        ("RUN echo $OPENAI_API_KEY", "echo", "$OPENAI_API_KEY"),
        ("RUN ls && \\\n    # why\n    echo $OPENAI_API_KEY && \\\n    ls", "echo", "$OPENAI_API_KEY"),
        ("RUN <<EOF\necho $OPENAI_API_KEY\nEOF", "echo", "$OPENAI_API_KEY"),
        ("RUN set -ex; curl -H $OPENAI_API_KEY x", "trace", "set -ex"),
        ('CMD ["sh", "-c", "echo $OPENAI_API_KEY && app"]', "echo", "$OPENAI_API_KEY"),
        ("ENTRYPOINT echo $OPENAI_API_KEY && exec app", "echo", "$OPENAI_API_KEY"),
        ("RUN cat .env", "file", "cat .env"),
        ("ARG OPENAI_API_KEY\nRUN env", "environment", "env"),
    ],
)
def test_images_that_hold_or_show_a_key(line: str, case: str, found: str) -> None:
    text = f"FROM python:3.12\n{line}\nWORKDIR /app\n"
    assert [(one, other) for one, other, _ in printed("Dockerfile", text)] == [(case, found)]
    assert shown("docker/app.Dockerfile", text.replace("\n", "\r\n")) == [found.replace("\n", "\r\n")]


def test_a_key_itself_in_an_image() -> None:
    (hit,) = hits(check, "Dockerfile", "FROM x\nARG OPENAI_API_KEY=<openai-key>\n")
    assert (hit.case, hit.values["name"]) == ("image", "OPENAI_API_KEY")
    (hit,) = hits(check, "Dockerfile", "FROM x\nENV MY_API_KEY <unknown-token>\n")
    assert (hit.case, hit.values["name"]) == ("image", "MY_API_KEY")


# Recipes, pipelines in Groovy, notebooks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "show:\n\t@echo OPENAI_API_KEY is needed\n",
        'env:\n\t@echo "OPENAI_API_KEY=$$OPENAI_API_KEY" > .env\n',
        "# echo $(OPENAI_API_KEY)\nall:\n\tls\n",
        "OPENAI_API_KEY ?= $(shell cat key)\nexport OPENAI_API_KEY\nrun:\n\tpython app.py\n",
        'check:\n\t@test -n "$(OPENAI_API_KEY)" || (echo "no OPENAI_API_KEY"; exit 1)\n',
        "show:\n\techo '$$OPENAI_API_KEY'\n",
    ],
)
def test_recipes_that_show_nothing(text: str) -> None:
    assert printed("Makefile", text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("show:\n\t@echo $(OPENAI_API_KEY)\n", "$(OPENAI_API_KEY)"),
        ("show:\n\t@echo ${OPENAI_API_KEY}\n", "${OPENAI_API_KEY}"),
        ('show:\n\t-@echo "key $$OPENAI_API_KEY"\n', "$OPENAI_API_KEY"),
        ("show:\n\t@ls; \\\n\techo $$OPENAI_API_KEY\n", "$OPENAI_API_KEY"),
        ("$(info key is $(OPENAI_API_KEY))\n", "$(OPENAI_API_KEY)"),
        ("include .env\nshow:\n\tcat .env\n", "cat .env"),
    ],
)
def test_recipes_that_show_a_key(text: str, found: str) -> None:
    assert shown("Makefile", text) == [found]


def test_recipes_of_just() -> None:
    assert shown("justfile", "show:\n    @echo $OPENAI_API_KEY\n") == ["$OPENAI_API_KEY"]


def test_messages_of_cmake() -> None:
    assert shown("CMakeLists.txt", 'message(STATUS "key: $ENV{OPENAI_API_KEY}")\n') == ["$ENV{OPENAI_API_KEY}"]
    assert printed("CMakeLists.txt", 'set(ENV{OPENAI_API_KEY} "$ENV{KEY}")\n') == []


def test_pipelines_in_groovy() -> None:
    text = "steps {\n  sh 'echo $OPENAI_API_KEY'\n  sh '''\n    ls\n    printenv HF_TOKEN\n  '''\n}\n"
    assert shown("Jenkinsfile", text) == ["$OPENAI_API_KEY", "printenv HF_TOKEN"]
    assert shown("Jenkinsfile", 'echo "key: ${env.OPENAI_API_KEY}"\n') == ["${env.OPENAI_API_KEY}"]
    assert printed("Jenkinsfile", "sh 'curl -H $OPENAI_API_KEY x'\necho 'no $OPENAI_API_KEY'\n") == []
    assert printed("src/App.java", 'String echo = "echo $OPENAI_API_KEY";\n') == []


def notebook(*cells: str) -> list[str]:
    held = [{"cell_type": "code", "source": text, "outputs": [], "metadata": {}} for text in cells]
    data = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": held}).encode()
    parts = notebook_parts(decode("a.ipynb", data))
    return [part.text[one.span.start : one.span.end] for part in parts for one in printed_by(part, CATALOGUE)]


def test_cells_that_show_nothing() -> None:
    assert notebook("# !echo $OPENAI_API_KEY", "!pip install openai", "%env OPENAI_API_KEY=abc", "echo = 1") == []
    assert notebook("!echo OPENAI_API_KEY=$OPENAI_API_KEY > .env", "%%bash\npython app.py") == []


def test_cells_that_show_a_key() -> None:
    assert notebook("!echo $OPENAI_API_KEY") == ["$OPENAI_API_KEY"]
    assert notebook("import os\n!cat .env\n") == ["cat .env"]
    assert notebook("%env OPENAI_API_KEY") == ["%env OPENAI_API_KEY"]
    assert notebook("%%bash\necho $OPENAI_API_KEY") == ["$OPENAI_API_KEY"]


# Whatever comes ------------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*"$`'\"\\(){}[]<>|&;#\n \t=-:!%@^/", "$(", "${", "$((", "<<EOF", "EOF", "\nEOF\n", "${{", "}}", ">&2", "&>", "<<<",
     "echo ", "set -x", "set +x", "printenv", "cat .env", "if ", "then ", "fi", "case x in", "esac", "for i in", "do ",
     "done", "$OPENAI_API_KEY", "OPENAI_API_KEY", "%OPENAI_API_KEY%", "$env:OPENAI_API_KEY", "run: |\n  ", "- ", "RUN ",
     "ENV ", "f() {", "function f", "x=", "@'\n", "\n'@", "<#", "#>", "\r\n", "\ufeff", "\U0001f511"]
)  # fmt: skip
PATHS = ["a.sh", "a.ps1", "a.bat", "a.yml", WORKFLOW, "docker-compose.yml", "Dockerfile", "Makefile", "Jenkinsfile"]


@settings(deadline=None, max_examples=60)
@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(PATHS))
def test_any_text_is_read_to_its_end_and_spans_lie_in_it(text: str, path: str) -> None:
    source = facts_of(path, text).source
    for span, name, case in printed_by(source, CATALOGUE):
        assert 0 <= span.start < span.end <= len(source.text)
        assert name
        assert case in {"echo", "environment", "trace", "file", "image"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "piece", ["$(", "${", "((", "{ ", "if ", '"', "`", "<<A ", "x() { ", "$OPENAI_API_KEY(", "[", "%"]
)
def test_deep_nesting_is_no_trouble(path: str, piece: str) -> None:
    printed_by(facts_of(path, "run: " + piece * 2_000).source, CATALOGUE)
    printed_by(facts_of(path, (piece + "\n") * 2_000).source, CATALOGUE)


def test_a_notebook_as_a_whole(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    cells = [("markdown", "!echo $OPENAI_API_KEY"), ("code", "import os\n!echo $OPENAI_API_KEY\n")]
    held = [{"cell_type": kind, "source": text, "outputs": [], "metadata": {}} for kind, text in cells]
    tree.write("a.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": held}))
    (found,) = tree.check(code=1).findings
    assert (found["rule"], found["cell"], found["line"], found["column"]) == ("KG109", 2, 2, 7)
