"""What the fixes that move keys say, in English and Chinese: apart, since a check without such a fix needs none."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

from keyguard.lang import Texts
from keyguard.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keyguard.lang import Entry

_EN: dict[str, Entry] = {
    # What a fix does; `place` is that of the code style, in `rules/env.toml`.
    "move.read": "read {env} from {place}",
    "move.by-hand": "read {env} from the environment by hand",
    "move.name-it": "write <{env}> in its place",
    "move.renamed": "read {env}, not a variable called like the key",
    "move.no-assignment": "remove the assignment: {env} is set outside the code",
    "move.no-default": "remove the default: {env} is set outside the code",
    "move.no-fallback": "read {env} without a fallback in the code",
    "move.called": "read {env} when {function} is called",
    "move.option": "let the option read {env}",
    "move.option-used": "read {env} when the option is used",
    "move.object": "read {env} for each new {class}",
    "move.settings": "let {class} read {env} from the environment",
    # Why it is left to a person.
    "move.why.annotation": "its annotation has to be changed with it",
    "move.why.another-key": "another key stands in what would have to be moved with it",
    "move.why.between": "something else stands between its pieces",
    "move.why.class-attribute": "the class is asked for it as well, not only its objects",
    "move.why.class-names": "its default uses other names of the class",
    "move.why.declared": "its function is only declared here",
    "move.why.decoded-part": "the key is only a part of what is decoded there",
    "move.why.dict-key": "as the key of a dictionary it names something",
    "move.why.enum": "a member of an enumeration is a constant",
    "move.why.format": "it stands in the format of a value, or in a template string",
    "move.why.lambda": "a lambda has no room for a statement",
    "move.why.made-elsewhere": "what it is made of stands in another place",
    "move.why.magic": "it stands in a line of IPython's",
    "move.why.more-than-key": "its field's default is more than the key",
    "move.why.mutable": "all calls of its function share what it stands in",
    "move.why.names": "it stands where names belong",
    "move.why.neighbour": "a literal beside it cannot become part of a sum",
    "move.why.not-a-name": "only a plain literal can become a name",
    "move.why.not-plain": "its pieces are not all plain texts",
    "move.why.not-there": "its pieces are not where they seem to be",
    "move.why.no-annotation": "a field without an annotation needs a default",
    "move.why.no-factory": "a field of this kind takes no function that makes its default",
    "move.why.no-function": "its function is not known",
    "move.why.no-import": "what describes a field cannot be imported here",
    "move.why.no-read": "no read can be spelled at this place",
    "move.why.no-text": "what the expression gives may be more than a text",
    "move.why.odd-body": "the body of its function begins in an unusual way",
    "move.why.one-line": "the body of its function stands beside the def",
    "move.why.option": "the option asks for its value in another way as well",
    "move.why.other-variable": "its field is filled from another variable",
    "move.why.pattern": "a pattern takes no expression",
    "move.why.pieces-elsewhere": "its pieces stand in other places, which may be used for more",
    "move.why.positional": "its default is one of several arguments without a name",
    "move.why.private-field": "a private field takes no function that makes its default",
    "move.why.put-together": "its pieces are put together in a way that is not undone here",
    "move.why.quotes": "f-strings in f-strings need quotes of their own",
    "move.why.stub": "the file only declares things",
    "move.why.template": "a template string keeps its parts apart",
    "move.why.type": "it is part of a type",
}

_ZH: dict[str, Entry] = {
    "move.read": "{place} {env}",
    "move.by-hand": "请手动改为从环境变量读取 {env}",
    "move.name-it": "改写成 <{env}>",
    "move.renamed": "读取 {env}，而不是以密钥为名的变量",
    "move.no-assignment": "删除赋值：{env} 改在代码之外设置",
    "move.no-default": "删除默认值：{env} 改在代码之外设置",
    "move.no-fallback": "读取 {env}，代码中不留后备值",
    "move.called": "在调用 {function} 时读取 {env}",
    "move.option": "让该选项读取 {env}",
    "move.option-used": "在用到该选项时读取 {env}",
    "move.object": "每次创建 {class} 对象时读取 {env}",
    "move.settings": "让 {class} 从环境变量读取 {env}",
    "move.why.annotation": "它的类型注解须一并修改",
    "move.why.another-key": "须一并移动的代码中还有另一个密钥",
    "move.why.between": "它的各段之间夹有别的内容",
    "move.why.class-attribute": "不只通过对象，还直接通过类来取它",
    "move.why.class-names": "它的默认值用到了类中的其他名称",
    "move.why.declared": "它所在的函数在这里只有声明",
    "move.why.decoded-part": "密钥只是所解码内容的一部分",
    "move.why.dict-key": "它是字典的键，起名称的作用",
    "move.why.enum": "枚举的成员是常量",
    "move.why.format": "它在值的格式说明或模板字符串中",
    "move.why.lambda": "lambda 里放不下语句",
    "move.why.made-elsewhere": "拼成它的内容在别处",
    "move.why.magic": "它在 IPython 的专用命令行中",
    "move.why.more-than-key": "字段的默认值不只是密钥",
    "move.why.mutable": "它所在的对象由函数的所有调用共用",
    "move.why.names": "这里应当是名称",
    "move.why.neighbour": "相邻的字面量无法改写成相加的一项",
    "move.why.not-a-name": "只有普通的字面量才能改成变量名",
    "move.why.not-plain": "它的各段并非都是普通文本",
    "move.why.not-there": "它的各段不在看上去的位置",
    "move.why.no-annotation": "没有类型注解的字段必须有默认值",
    "move.why.no-factory": "这类字段不能用函数生成默认值",
    "move.why.no-function": "不知道它属于哪个函数",
    "move.why.no-import": "描述字段所需的内容在这里无法导入",
    "move.why.no-read": "这里写不出读取变量的代码",
    "move.why.no-text": "这个表达式的结果可能不只是文本",
    "move.why.odd-body": "它所在函数的函数体开头写法特殊",
    "move.why.one-line": "函数体与 def 写在同一行",
    "move.why.option": "该选项还会以其他方式要求输入值",
    "move.why.other-variable": "它的字段由另一个变量填充",
    "move.why.pattern": "匹配模式中不能写表达式",
    "move.why.pieces-elsewhere": "它的各段在别处，可能另有用途",
    "move.why.positional": "它的默认值是多个不带名称的参数之一",
    "move.why.private-field": "私有字段不能用函数生成默认值",
    "move.why.put-together": "它的各段拼接方式特殊，无法自动还原",
    "move.why.quotes": "嵌套的 f-string 需要使用不同的引号",
    "move.why.stub": "这个文件只有声明",
    "move.why.template": "模板字符串会把各部分分开保存",
    "move.why.type": "它是类型的一部分",
}

ENTRIES: Mapping[str, Mapping[str, Entry]] = {"en": _EN, "zh": _ZH}


def texts(lang: str) -> Texts:
    """Give the texts of `lang`, `en` or `zh`."""
    return Texts(lang, ENTRIES[lang])
