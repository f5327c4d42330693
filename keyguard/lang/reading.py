"""Why a path, a file or a text in it was not read or written, in English and Chinese: apart, since few runs need it."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

from keyguard.lang import Texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.lang import Entry

_EN: dict[str, Entry] = {
    # Paths that were named, and what a folder holds.
    "path.refused": "{path}: {why}",
    "path.absent": "no such file or folder; check the spelling",
    "path.unseen": "could not be looked at ({reason}); check the path and its permissions",
    "path.device": "a pipe, socket or device, which is never opened; name a file or a folder",
    "path.dangling": "a link to nothing; repair or remove it",
    "path.to-device": "a link to a pipe, socket or device, which is never opened",
    "path.leaves": "{path}: not read, a link that leaves the tree; name the file it points to, {target}",
    "path.unread": "could not be read ({reason}); repair that or exclude it",
    "path.unlisted": (
        "{path}: git did not list its files ({error}; `git status` there says more), so every file is read that no"
        " .gitignore names"
    ),
    # Files.
    "file.died": "the process that read it died",
    "file.too-much": "it asks for more than this machine has, {error}",
    "file.bug": "{path}: not checked, a bug in keyguard ({bug}): please report it",
    "file.not-fixed": "{path}: not fixed, {reason}",
    "file.changed": "it changed while it was being fixed; run keyguard fix again",
    "notebook.pointer": "a pointer to a file in Git LFS, not a notebook; run `git lfs pull`, or exclude it",
    "notebook.broken": (
        "not a notebook, its JSON is broken at line {line}: {error};"
        " open it in Jupyter and save it again, or exclude it"
    ),
    "notebook.number": (
        "not a notebook, its JSON holds a number that is too long; open it in Jupyter and save it again, or exclude it"
    ),
    "notebook.deep": (
        "not a notebook, its JSON is nested too deeply; open it in Jupyter and save it again, or exclude it"
    ),
    "notebook.other": "JSON, but not a notebook; open it in Jupyter and save it again, or exclude it",
    "notebook.no-cells": (
        "JSON, but not a notebook: it has no cells; open it in Jupyter and save it again, or exclude it"
    ),
    # Python: why it has no tree.
    "python.too-large": "over {size:,} characters",
    "python.too-deep": "over {depth} brackets or {chain:,} links",
    "python.gave-up": "the parser gave up ({error})",
    "python.conflict": "a merge conflict is not resolved",
    "python.template": "this is a template, not Python yet",
    "python.2": "this is Python 2",
    "python.ends": "it ends inside a statement",
    "python.unfinished": "a statement is not finished or not Python 3",
    "python.token": "{words}",
}

_ZH: dict[str, Entry] = {
    "path.refused": "{path}：{why}",
    "path.absent": "没有这个文件或文件夹；请检查拼写",
    "path.unseen": "无法查看（{reason}）；请检查路径及其权限",
    "path.device": "这是管道、套接字或设备，不会打开；请指定文件或文件夹",
    "path.dangling": "链接的目标不存在；请修复或删除它",
    "path.to-device": "链接指向管道、套接字或设备，不会打开",
    "path.leaves": "{path}：未读取，链接指向目录树之外；请直接指定它指向的文件 {target}",
    "path.unread": "无法读取（{reason}）；请解决这个问题，或将它排除",
    "path.unlisted": (
        "{path}：git 没有列出其中的文件（{error}；在那里运行 `git status` 可了解详情），"
        "因此会读取 .gitignore 之外的所有文件"
    ),
    "file.died": "读取它的进程意外终止",
    "file.too-much": "它所需的资源超出了这台机器的能力（{error}）",
    "file.bug": "{path}：未检查，这是 keyguard 的缺陷（{bug}），请报告给我们",
    "file.not-fixed": "{path}：未修复，{reason}",
    "file.changed": "它在修复期间发生了变化；请再次运行 keyguard fix",
    "notebook.pointer": "这是 Git LFS 的指针文件，不是 notebook；请运行 `git lfs pull`，或将它排除",
    "notebook.broken": "不是 notebook，其 JSON 在第 {line} 行有误：{error}；请用 Jupyter 打开并重新保存，或将它排除",
    "notebook.number": "不是 notebook，其 JSON 中有过长的数字；请用 Jupyter 打开并重新保存，或将它排除",
    "notebook.deep": "不是 notebook，其 JSON 嵌套过深；请用 Jupyter 打开并重新保存，或将它排除",
    "notebook.other": "是 JSON，但不是 notebook；请用 Jupyter 打开并重新保存，或将它排除",
    "notebook.no-cells": "是 JSON，但不是 notebook：其中没有单元格；请用 Jupyter 打开并重新保存，或将它排除",
    "python.too-large": "超过 {size:,} 个字符",
    "python.too-deep": "超过 {depth} 层括号或 {chain:,} 个连续环节",
    "python.gave-up": "解析器中途放弃（{error}）",
    "python.conflict": "合并冲突尚未解决",
    "python.template": "这是模板，还不是 Python",
    "python.2": "这是 Python 2",
    "python.ends": "文件在语句中间结束",
    "python.unfinished": "有语句不完整，或不是 Python 3",
    "python.token": "{words}",
}

ENTRIES: Mapping[str, Mapping[str, Entry]] = {"en": _EN, "zh": _ZH}


def texts(lang: str) -> Texts:
    """Give the texts of `lang`, `en` or `zh`."""
    return Texts(lang, ENTRIES[lang])
