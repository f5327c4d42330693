"""What the fixes that move keys say of themselves and why some only say it, in English and Chinese."""

# ruff: noqa: RUF001  # full-width punctuation is what Chinese is written with

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING

import pytest

from keyguard.lang import LANGUAGES
from keyguard.lang.moving import ENTRIES, texts
from keyguard.moving.reasons import Why
from keyguard.naming import Naming
from tests.keys import fill, make
from tests.moving.made import hits_of, worded
from tests.python.made import loaded
from tests.runs import Tree

if TYPE_CHECKING:
    from pathlib import Path

DATA = "from dataclasses import dataclass\n\n\n@dataclass\nclass A:\n    "
MODEL = "from pydantic import BaseModel\n\n\nclass A(BaseModel):\n    "
SETTINGS = "from pydantic_settings import BaseSettings\n\n\nclass A(BaseSettings):\n    "
HAND = "read OPENAI_API_KEY from the environment by hand: "
HAND_ZH = "请手动改为从环境变量读取 OPENAI_API_KEY："


def titles(text: str, form: str = "os.environ", lang: str = "en") -> list[str]:
    """The titles of the fixes of a text."""
    codes = ", ".join(str(ord(char)) for char in make("openai"))
    found, hits = hits_of(fill(text.replace("<codes>", codes)), "app.py", Naming(loaded()), form)
    assert found is not None
    return [worded(hit, found, lang).title for hit in hits if hit.fix is not None]


@pytest.mark.parametrize(
    ("form", "text", "english", "chinese"),
    [
        pytest.param(
            "os.environ",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from the environment",
            "从环境变量读取 OPENAI_API_KEY",
            id="os.environ",
        ),
        pytest.param(
            "getenv",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from the environment",
            "从环境变量读取 OPENAI_API_KEY",
            id="getenv",
        ),
        pytest.param(
            "decouple",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from the environment",
            "从环境变量读取 OPENAI_API_KEY",
            id="decouple",
        ),
        pytest.param(
            "pydantic-settings",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from the environment",
            "从环境变量读取 OPENAI_API_KEY",
            id="pydantic-settings",
        ),
        pytest.param(
            "st.secrets",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from Streamlit's secrets",
            "从 Streamlit 的 secrets 读取 OPENAI_API_KEY",
            id="streamlit",
        ),
        pytest.param(
            "keyring",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from the keyring",
            "从系统密钥环读取 OPENAI_API_KEY",
            id="keyring",
        ),
        pytest.param(
            "boto3",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from AWS Secrets Manager",
            "从 AWS Secrets Manager 读取 OPENAI_API_KEY",
            id="aws",
        ),
        pytest.param(
            "hvac",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from Vault",
            "从 Vault 读取 OPENAI_API_KEY",
            id="vault",
        ),
        pytest.param(
            "google-secret-manager",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from Google Secret Manager",
            "从 Google Secret Manager 读取 OPENAI_API_KEY",
            id="google",
        ),
        pytest.param(
            "azure-key-vault",
            "key = '<openai-key>'\n",
            "read OPENAI_API_KEY from Azure Key Vault",
            "从 Azure Key Vault 读取 OPENAI_API_KEY",
            id="azure",
        ),
        pytest.param(
            "os.environ",
            "# <openai-key>\n",
            "write <OPENAI_API_KEY> in its place",
            "改写成 <OPENAI_API_KEY>",
            id="comment",
        ),
        pytest.param(
            "os.environ",
            "import os\n\nkey = os.environ['<openai-key>']\n",
            "read OPENAI_API_KEY, not a variable called like the key",
            "读取 OPENAI_API_KEY，而不是以密钥为名的变量",
            id="called-like-the-key",
        ),
        pytest.param(
            "os.environ",
            "import os\n\nos.environ['MY_KEY'] = '<openai-key>'\n",
            "remove the assignment: MY_KEY is set outside the code",
            "删除赋值：MY_KEY 改在代码之外设置",
            id="assignment",
        ),
        pytest.param(
            "os.environ",
            "import os\n\nos.environ.setdefault('MY_KEY', '<openai-key>')\n",
            "remove the default: MY_KEY is set outside the code",
            "删除默认值：MY_KEY 改在代码之外设置",
            id="setdefault",
        ),
        pytest.param(
            "os.environ",
            "import os\n\nkey = os.getenv('MY_KEY', '<openai-key>')\n",
            "read MY_KEY without a fallback in the code",
            "读取 MY_KEY，代码中不留后备值",
            id="getenv-default",
        ),
        pytest.param(
            "os.environ",
            "def ask(key='<openai-key>'):\n    return key\n",
            "read OPENAI_API_KEY when ask is called",
            "在调用 ask 时读取 OPENAI_API_KEY",
            id="parameter",
        ),
        pytest.param(
            "os.environ",
            "import click\n\n\n@click.option('--key', default='<openai-key>')\ndef f(key):\n    pass\n",
            "let the option read OPENAI_API_KEY",
            "让该选项读取 OPENAI_API_KEY",
            id="option",
        ),
        pytest.param(
            "os.environ",
            "import click\n\n\n@click.option('--key', default='<openai-key>', is_flag=True)\ndef f(key):\n    pass\n",
            "read OPENAI_API_KEY when the option is used",
            "在用到该选项时读取 OPENAI_API_KEY",
            id="flag",
        ),
        pytest.param(
            "os.environ",
            "from dataclasses import dataclass\n\n\n@dataclass\nclass Ask:\n    key: str = '<openai-key>'\n",
            "read OPENAI_API_KEY for each new Ask",
            "每次创建 Ask 对象时读取 OPENAI_API_KEY",
            id="dataclass",
        ),
        pytest.param(
            "os.environ",
            SETTINGS + "openai_api_key: str = '<openai-key>'\n",
            "let A read OPENAI_API_KEY from the environment",
            "让 A 从环境变量读取 OPENAI_API_KEY",
            id="settings",
        ),
    ],
)
def test_a_fix_says_what_it_does(form: str, text: str, english: str, chinese: str) -> None:
    assert titles(text, form) == [english]
    assert titles(text, form, "zh") == [chinese]


# A text in which a key stands for each reason; none where the code before it leaves nothing that gives the reason.
REASONS = {
    Why.ANNOTATION: (
        "from typing import Annotated\n\n\ndef f(key: Annotated[str, 1] = '<openai-key>'):\n    pass\n",
        "its annotation has to be changed with it",
        "它的类型注解须一并修改",
    ),
    Why.ANOTHER_KEY: (
        "def f(key=('<openai-key>', '<groq-key>')):\n    print(key)\n",
        "another key stands in what would have to be moved with it",
        "须一并移动的代码中还有另一个密钥",
    ),
    Why.BETWEEN: (
        "x = 'Bearer <openai-key|head>' f'<openai-key|tail> more'\n",
        "something else stands between its pieces",
        "它的各段之间夹有别的内容",
    ),
    Why.CLASS_ATTRIBUTE: (
        DATA + "key: str = '<openai-key>'\n\n\nprint(A.key)\n",
        "the class is asked for it as well, not only its objects",
        "不只通过对象，还直接通过类来取它",
    ),
    Why.CLASS_NAMES: (
        DATA + "base: str = 'a'\n    key: str = base or '<openai-key>'\n",
        "its default uses other names of the class",
        "它的默认值用到了类中的其他名称",
    ),
    Why.DECLARED: (
        "def f(key='<openai-key>'):\n    ...\n",
        "its function is only declared here",
        "它所在的函数在这里只有声明",
    ),
    Why.DECODED_PART: (
        "x = '<openai-key|reversed> reraeB'[::-1]\n",
        "the key is only a part of what is decoded there",
        "密钥只是所解码内容的一部分",
    ),
    Why.DICT_KEY: (
        "x = {'<openai-key>': 1}\n",
        "as the key of a dictionary it names something",
        "它是字典的键，起名称的作用",
    ),
    Why.ENUM: (
        "from enum import Enum\n\n\nclass A(Enum):\n    KEY = '<openai-key>'\n",
        "a member of an enumeration is a constant",
        "枚举的成员是常量",
    ),
    Why.FORMAT: (
        "x = f\"{y:{'<openai-key>'}}\"\n",
        "it stands in the format of a value, or in a template string",
        "它在值的格式说明或模板字符串中",
    ),
    Why.LAMBDA: ("f = lambda key='<openai-key>': key\n", "a lambda has no room for a statement", "lambda 里放不下语句"),
    Why.MADE_ELSEWHERE: (
        "codes = [<codes>]\nkey = bytes(codes).decode()\n",
        "what it is made of stands in another place",
        "拼成它的内容在别处",
    ),
    Why.MAGIC: ("", "it stands in a line of IPython's", "它在 IPython 的专用命令行中"),
    Why.MORE_THAN_KEY: (
        SETTINGS + "openai_api_key: str = '<openai-key>'.strip()\n",
        "its field's default is more than the key",
        "字段的默认值不只是密钥",
    ),
    Why.MUTABLE: (
        "def f(keys=['<openai-key>']):\n    pass\n",
        "all calls of its function share what it stands in",
        "它所在的对象由函数的所有调用共用",
    ),
    Why.NAMES: ("__all__ = ['<openai-key>']\n", "it stands where names belong", "这里应当是名称"),
    Why.NEIGHBOUR: (
        "x = b'a' b'Bearer <openai-key>'\n",
        "a literal beside it cannot become part of a sum",
        "相邻的字面量无法改写成相加的一项",
    ),
    Why.NOT_A_NAME: (
        "import os\nx = os.getenv('<openai-key|head>' '<openai-key|tail>')\n",
        "only a plain literal can become a name",
        "只有普通的字面量才能改成变量名",
    ),
    Why.NOT_PLAIN: (
        "key = 'Bearer <openai-key|head>' + ('<openai-key|tail>')\n",
        "its pieces are not all plain texts",
        "它的各段并非都是普通文本",
    ),
    Why.NOT_THERE: ("", "its pieces are not where they seem to be", "它的各段不在看上去的位置"),
    Why.NO_ANNOTATION: (
        SETTINGS + "openai_api_key = '<openai-key>'\n",
        "a field without an annotation needs a default",
        "没有类型注解的字段必须有默认值",
    ),
    Why.NO_FACTORY: (
        DATA + "from dataclasses import InitVar\n    key: InitVar[str] = '<openai-key>'\n",
        "a field of this kind takes no function that makes its default",
        "这类字段不能用函数生成默认值",
    ),
    Why.NO_FUNCTION: ("", "its function is not known", "不知道它属于哪个函数"),
    Why.NO_IMPORT: ("", "what describes a field cannot be imported here", "描述字段所需的内容在这里无法导入"),
    Why.NO_READ: ("x = f\"{'a <openai-key>'}\"\n", "no read can be spelled at this place", "这里写不出读取变量的代码"),
    Why.NO_TEXT: (
        "key = reversed('<openai-key|reversed>')\n",
        "what the expression gives may be more than a text",
        "这个表达式的结果可能不只是文本",
    ),
    Why.ODD_BODY: (
        "def f(key='<openai-key>'):\n    '''Doc.'''; print(key)\n",
        "the body of its function begins in an unusual way",
        "它所在函数的函数体开头写法特殊",
    ),
    Why.ONE_LINE: (
        "def f(key='<openai-key>'): return key\n",
        "the body of its function stands beside the def",
        "函数体与 def 写在同一行",
    ),
    Why.OPTION: (
        "import typer\n\n\ndef f(key: str = typer.Option('<openai-key>', prompt=True)):\n    pass\n",
        "the option asks for its value in another way as well",
        "该选项还会以其他方式要求输入值",
    ),
    Why.OTHER_VARIABLE: (
        SETTINGS + "openai_api_key: str = 'Bearer <openai-key>'\n",
        "its field is filled from another variable",
        "它的字段由另一个变量填充",
    ),
    Why.PATTERN: (
        "match x:\n    case '<openai-key>':\n        pass\n",
        "a pattern takes no expression",
        "匹配模式中不能写表达式",
    ),
    Why.PIECES_ELSEWHERE: (
        "A = '<openai-key|head>'\nB = '<openai-key|tail>'\nkey = A + B\n",
        "its pieces stand in other places, which may be used for more",
        "它的各段在别处，可能另有用途",
    ),
    Why.POSITIONAL: (
        MODEL + "from pydantic import Field\n    key: str = Field('<openai-key>', 'title')\n",
        "its default is one of several arguments without a name",
        "它的默认值是多个不带名称的参数之一",
    ),
    Why.PRIVATE_FIELD: (
        MODEL + "_key: str = '<openai-key>'\n",
        "a private field takes no function that makes its default",
        "私有字段不能用函数生成默认值",
    ),
    Why.PUT_TOGETHER: (
        "x = 'a {}{} b'.format('<openai-key|head>', '<openai-key|tail>')\n",
        "its pieces are put together in a way that is not undone here",
        "它的各段拼接方式特殊，无法自动还原",
    ),
    Why.QUOTES: (
        'x = f"{d["a <openai-key>"]}"\n',
        "f-strings in f-strings need quotes of their own",
        "嵌套的 f-string 需要使用不同的引号",
    ),
    Why.STUB: ("", "the file only declares things", "这个文件只有声明"),
    Why.TEMPLATE: (
        "x = t'{y} <openai-key>'\n",
        "a template string keeps its parts apart",
        "模板字符串会把各部分分开保存",
    ),
    Why.TYPE: (
        "from typing import Literal\nx: Literal['<openai-key>'] = y\n",
        "it is part of a type",
        "它是类型的一部分",
    ),
}


def test_every_reason_is_looked_at() -> None:
    assert set(REASONS) == set(Why)


@pytest.mark.parametrize("why", Why, ids=lambda why: why.value)
def test_a_fix_that_is_only_shown_says_why(why: Why) -> None:
    text, english, chinese = REASONS[why]
    if text:
        assert HAND + english in titles(text)
        assert HAND_ZH + chinese in titles(text, lang="zh")
    assert texts("en").say(f"move.why.{why.value}") == english
    assert texts("zh").say(f"move.why.{why.value}") == chinese


def test_both_languages_hold_the_same_texts_and_a_reason_is_all_they_hold_without_a_use() -> None:
    assert tuple(ENTRIES) == LANGUAGES
    assert list(ENTRIES["zh"]) == list(ENTRIES["en"])
    assert {f"move.why.{why.value}" for why in Why} == {name for name in ENTRIES["en"] if ".why." in name}


@pytest.mark.parametrize("name", ENTRIES["en"])
def test_both_languages_name_the_same_values(name: str) -> None:
    english, chinese = (
        {value for _, value, _, _ in string.Formatter().parse(str(ENTRIES[lang][name])) if value} for lang in LANGUAGES
    )
    assert chinese == english


def test_a_notebook_says_it_in_chinese_too(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": fill("%env OPENAI_API_KEY=<openai-key>")}
    tree.write("a.ipynb", json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (english,), (chinese,) = (tree.check("--lang", lang).findings for lang in LANGUAGES)
    assert english["fix"]["title"] == HAND + "it stands in a line of IPython's"
    assert chinese["fix"]["title"] == HAND_ZH + REASONS[Why.MAGIC][2]
