"""What `keyguard init` says, in English and Chinese: apart, since no check ever needs it."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

from keyguard.lang import Texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.lang import Entry

_EN: dict[str, Entry] = {
    "hook.title": "add the keyguard hook",
    "hook.create": "create it with the keyguard hook",
    "hook.present": "has the keyguard hook",
    "hook.by_hand": "could not be extended safely ({reason}); add this to its repos yourself:",
    "settings.title": "add [tool.keyguard], every setting at its default and commented out",
    "settings.create": "create it, every setting at its default and commented out",
    "settings.present": "holds keyguard's settings",
    "settings.by_hand": "was left alone ({reason}); mend it and run `keyguard init` again",
    "ignore.title": "keep .env files out of git",
    "ignore.present": "keeps .env files out of git",
    "ignore.by_hand": "was left alone ({reason}); add these lines yourself:",
    "ignore.tracked": "git already tracks this file: take it out with `git rm --cached {path}`, then renew its keys",
    "baseline.title": (
        "accept the one finding of today, so that only new ones block a commit",
        "accept the {count} findings of today, so that only new ones block a commit",
    ),
    "baseline.present": "accepts earlier findings",
    "baseline.clean": "not needed: nothing leaks",
    "baseline.next": "accepted is not safe: renew these keys, then run `keyguard baseline update`",
    "install.title": "install the git hook with `pre-commit install`",
    "install.present": "is in place",
    "install.no_git": "no git repository here: run `git init`, then `keyguard init` again",
    "install.no_tool": "pre-commit is not installed: `pip install pre-commit`, then `pre-commit install`",
    "install.no_hook": "nothing to install: .pre-commit-config.yaml has no keyguard hook",
    "done": "done",
    "declined": "not done",
    "failed": "failed: {reason}",
    "ask": "{path}: {title}? [Y/n] ",
    "needs_yes": "init asks before each step, and standard input is no terminal; run `keyguard init --yes`",
    "no_folder": "{path}: there is no such folder; name the project's folder",
    "changed": "it changed while init was running; run `keyguard init` again",
    "reason.link": "it is a link",
    "reason.encoding": "it is not UTF-8",
    "reason.shape": "its `repos` is not a plain list",
    "reason.toml": "it is not valid TOML",
    "reason.unreadable": "it cannot be read",
    "some_failed": "{path}: {reason}; the other steps are done, run `keyguard init` again once that is mended",
}

_ZH: dict[str, Entry] = {
    "hook.title": "加入 keyguard 钩子",
    "hook.create": "新建该文件并加入 keyguard 钩子",
    "hook.present": "已有 keyguard 钩子",
    "hook.by_hand": "无法安全地改写（{reason}），请自行把下面几行加到 repos 中：",
    "settings.title": "加入 [tool.keyguard]，各项设置均为默认值并已注释",
    "settings.create": "新建该文件，各项设置均为默认值并已注释",
    "settings.present": "已有 keyguard 的设置",
    "settings.by_hand": "未作改动（{reason}），请修正后重新运行 `keyguard init`",
    "ignore.title": "让 git 忽略 .env 文件",
    "ignore.present": "已忽略 .env 文件",
    "ignore.by_hand": "未作改动（{reason}），请自行加入下面几行：",
    "ignore.tracked": "git 已在跟踪这个文件：请运行 `git rm --cached {path}`，然后更换其中的密钥",
    "baseline.title": "接受现有的 {count} 个问题，之后只有新问题才会拦下提交",
    "baseline.present": "已接受先前的问题",
    "baseline.clean": "不需要：没有泄露",
    "baseline.next": "接受不等于安全：请更换这些密钥，再运行 `keyguard baseline update`",
    "install.title": "用 `pre-commit install` 安装 git 钩子",
    "install.present": "已安装",
    "install.no_git": "这里不是 git 仓库：先运行 `git init`，再运行 `keyguard init`",
    "install.no_tool": "没有安装 pre-commit：先运行 `pip install pre-commit`，再运行 `pre-commit install`",
    "install.no_hook": "无需安装：.pre-commit-config.yaml 中没有 keyguard 钩子",
    "done": "完成",
    "declined": "未执行",
    "failed": "失败：{reason}",
    "ask": "{path}：{title}？[Y/n] ",
    "needs_yes": "init 每一步都会先询问，而标准输入不是终端；请运行 `keyguard init --yes`",
    "no_folder": "{path}：没有这个文件夹，请给出项目所在的文件夹",
    "changed": "运行期间文件有改动，请重新运行 `keyguard init`",
    "reason.link": "它是一个链接",
    "reason.encoding": "它不是 UTF-8",
    "reason.shape": "其中的 `repos` 不是普通列表",
    "reason.toml": "它不是有效的 TOML",
    "reason.unreadable": "无法读取",
    "some_failed": "{path}：{reason}；其余步骤已完成，修正后请重新运行 `keyguard init`",
}

ENTRIES: Mapping[str, Mapping[str, Entry]] = {"en": _EN, "zh": _ZH}


def texts(lang: str) -> Texts:
    """Give init's texts of `lang`, `en` or `zh`."""
    return Texts(lang, ENTRIES[lang])
