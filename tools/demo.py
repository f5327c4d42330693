"""`make demo`: keyguard on a small leaking project, made in a temporary folder with keys that open nothing."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.keys import fill  # noqa: E402  # the key maker belongs to the tests, and this file runs by its path

APP = '''\
"""A small assistant."""
import os

from anthropic import Anthropic
from openai import OpenAI

# A relay, with the key pasted in.
relay = OpenAI(base_url="https://api.poloapi.top/v1", api_key="<relay-key>")

# The variable is read, but the default is a key.
deepseek = OpenAI(
    base_url="https://api.deepseek.com",
    api_key=os.getenv("DEEPSEEK_API_KEY", "<deepseek-key>"),
)

# Cut in two, so that nobody sees it.
claude = Anthropic(api_key="<anthropic-key|head>" + "<anthropic-key|tail>")

# This is how it should be: nothing to say.
gemini = OpenAI(
    base_url="https://generativelanguage.googleapis.com/v1beta/openai/",
    api_key=os.environ["GEMINI_API_KEY"],
)
print("using", os.environ["GEMINI_API_KEY"])
'''

CHAT = """\
import requests

response = requests.post(
    "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
    headers={"Authorization": "Bearer <dashscope-key>"},
    json={"model": "qwen-plus", "messages": [{"role": "user", "content": "Hello"}]},
    timeout=60,
)
"""

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["OPENAI_API_KEY=<openai-key>\n"]}],
            "source": ["%env OPENAI_API_KEY"],
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}

FILES = {
    "app.py": APP,
    "chat.py": CHAT,
    ".env": "OPENAI_API_KEY=<openai-key>\nGEMINI_API_KEY=<gemini-aiza-key>\n",
    ".env.example": "OPENAI_API_KEY=your-api-key-here\nGEMINI_API_KEY=你的API密钥\n",
    "notebooks/first look.ipynb": json.dumps(NOTEBOOK, indent=1, ensure_ascii=False) + "\n",
    "docker-compose.yml": "services:\n  app:\n    environment:\n      OPENAI_API_KEY: <openai-key>\n",
    "style.css": ".sk-estimator-doc-link.fitted { color: var(--sklearn-color-fitted-level-3) }\n",
    "docs/models.md": "We use `gemini-3-pro` and `claude-sonnet-4-5-20250929`; keys look like `sk-proj-…`.\n",
}


def main() -> int:
    """Make the project, run keyguard on it and give 0 if it found the leaks, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lang", choices=("en", "zh"), help="language of the report")
    lang = parser.parse_args().lang
    options = ("--lang", lang) if lang == "zh" else ()
    with tempfile.TemporaryDirectory(prefix="keyguard-demo-") as folder:
        for name, text in FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(fill(text), encoding="utf-8")
        for arguments in (("init", "-q"), ("add", "-A", "-f")):
            subprocess.run(("git", *arguments), cwd=folder, check=True)
        print(f"A project with {len(FILES)} files, made for this demo; its keys open nothing.\n")
        print(" ".join(("$ keyguard check", *options)) + "\n", flush=True)
        command = (sys.executable, "-m", "keyguard", "check", *options)
        # Standard output is passed on as it is: a terminal gets colours.
        done = subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    print("\nNow on a project of yours:  " + f"{ROOT / '.venv/bin/keyguard'} check PATH")
    return 0 if done.returncode == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
