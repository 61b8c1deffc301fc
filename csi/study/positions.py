"""YAML with a memory of places: every scalar stays the text that was typed, every key and value knows its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from csi.errors import Language, Problem, Problems, problem
from csi.yamlfile import aliased, composed

Loc = tuple[str | int, ...]
"""The way to a value: ("items", 3, "scale")."""

WIDE = {
    "：": ":",
    "，": ",",
    "［": "[",
    "］": "]",
    "【": "[",
    "】": "]",
    "｛": "{",
    "｝": "}",
    "－": "-",
    "＃": "#",
    "\u3000": " ",
}
"""Characters of Chinese keyboards that YAML does not read as punctuation."""

_SLIPS = (
    (re.compile(r"^(\s*)－\s*"), r"\1- "),
    (re.compile(r"(:\s*)[［【]"), r"\1["),
    (re.compile(r"((?:^\s*-|:)\s*)｛"), r"\1{"),
    (re.compile(r"[］】](?=\s*(?:[,，}｝\]]|$))"), "]"),
    (re.compile(r"｝(?=\s*(?:[,，}\]]|$))"), "}"),
    (re.compile(r"^(\s*(?:-\s*)?(?:\{\s*)?[\w.]+)\s*：\s*"), r"\1: "),
    (re.compile(r"([{,，]\s*[A-Za-z_]\w*)\s*：\s*"), r"\1: "),
    (re.compile(r"\s*，\s*(?=[A-Za-z_]\w*\s*:)"), ", "),
)
"""Chinese punctuation where YAML needs its own, and what was meant."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as nested dicts, lists and texts.

    Attributes:
        name: the file's name for messages. text: the file's text. data: the mapping at its root, blank values left out.
        lines: line of each value. keys: line of each key, blank ones included. blocks: values written as `|` or `>`.
    """

    name: str
    text: str
    data: dict[str, object]
    lines: dict[Loc, int]
    keys: dict[Loc, int]
    blocks: frozenset[Loc] = frozenset()
    problems: tuple[Problem, ...] = field(default=())

    def place(self, loc: Loc) -> str:
        """`file:line` of a key or value; of its nearest parent when it has no line of its own."""
        for end in range(len(loc), -1, -1):
            part = loc[:end]
            line = self.keys.get(part) or self.lines.get(part)
            if line:
                return f"{self.name}:{line}"
        return self.name


def read_document(path: Path, missing_at: str = "") -> Document:
    """A YAML file with its places.

    Parameters:
        path: the file. missing_at: where another file names it, for the message when it does not exist.

    Raises:
        Problems: no such file, not UTF-8, empty, a syntax error, not a mapping; in the file's own `language`.
    """
    if not path.is_file():
        raise Problems([_no_file(path, missing_at)])
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problems([_not_utf8(path, content, error)]) from error
    return parse_document(text, path.name)


def parse_document(text: str, name: str) -> Document:
    r"""YAML text with its places.

    Raises:
        Problems: a syntax error, an empty document, or a document that is not a mapping.

    Example:
        >>> document = parse_document("csi: 1\nwaves: {base: 2023Q4}\n", "study.yaml")
        >>> document.data, document.place(("waves", "base"))
        ({'csi': '1', 'waves': {'base': '2023Q4'}}, 'study.yaml:2')
    """
    lang = language_of(text)
    try:
        root = _root(text, name)
    except Problems as error:
        slips = tuple(wide_typing(name, text))
        if not slips:
            raise Problems(error.problems, lang) from error
        return _mended(text, name, slips, lang)
    walk = _Walk(name)
    data = walk.mapping(root, ())
    return Document(name, text, data, walk.lines, walk.keys, frozenset(walk.blocks), tuple(walk.problems))


def _root(text: str, name: str) -> yaml.MappingNode:
    """The mapping that a document is."""
    try:
        if aliased(text):
            raise Problems([_alias(name)])
        root = composed(text)
    except yaml.YAMLError as error:
        raise Problems([_syntax(name, text, error)]) from error
    except RecursionError as error:
        raise Problems([_too_deep(name)]) from error
    if not isinstance(root, yaml.MappingNode):
        raise Problems([_no_mapping(name, empty=root is None)])
    return root


def _mended(text: str, name: str, slips: tuple[Problem, ...], lang: Language) -> Document:
    """A document typed with Chinese punctuation, read as it was meant so that its other problems show as well."""
    try:
        meant = parse_document("\n".join(narrowed(line) for line in text.split("\n")), name)
    except Problems as error:
        raise Problems([*slips, *error.problems], lang) from error
    return replace(meant, text=text, problems=(*slips, *meant.problems))


def language_of(text: str) -> Language:
    r"""The language a study file asks for, found before the file can be read.

    Example:
        >>> language_of("csi: 1\nlanguage：zh")
        'zh'
    """
    match = re.search(r"^language\s*[:：]\s*[\"']?(zh|en)\b", text, re.MULTILINE)
    return "zh" if match and match[1] == "zh" else "en"


class _Walk:
    """One pass over the nodes of a document, collecting values and lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Loc, int] = {}
        self.keys: dict[Loc, int] = {}
        self.blocks: set[Loc] = set()
        self.problems: list[Problem] = []

    def value(self, node: yaml.Node, loc: Loc) -> object:
        """The value of any node."""
        self.lines[loc] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*loc, i)) for i, child in enumerate(node.value)]
        if node.style in {"|", ">"}:
            self.blocks.add(loc)
        return str(node.value)

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        """A mapping; keys with blank values are left out (but kept where a blank means
        something: "not in this file" in `rename`, no label in `constructs`).
        """
        found: dict[str, object] = {}
        for key_node, child in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if (*loc, key) in self.keys:
                self.problems.append(self._twice(key, line, self.keys[*loc, key]))
            self.keys[*loc, key] = line
            value = self.value(child, (*loc, key))
            blank = value == "" and not child.style  # libyaml says ""
            if not blank or (loc and loc[-1] in {"rename", "constructs"}):
                found[key] = value
        return found

    def _twice(self, key: str, line: int, first: int) -> Problem:
        return problem(
            "E-KEY-TWICE",
            f"{self.name}:{line}",
            f'the key "{key}" stands here and in line {first}.',
            f"键“{key}”在此处和第 {first} 行重复出现。",
            "Keep one of them.",
            "请只保留一个。",
        )


def narrowed(line: str) -> str:
    """A line with YAML's own punctuation where Chinese punctuation stands in for it; quoted texts stay.

    Example:
        >>> narrowed("keys: {respondent：id， wave: quarter}"), narrowed("zh: 好，很好")
        ('keys: {respondent: id, wave: quarter}', 'zh: 好，很好')
    """
    if line.lstrip().startswith("#"):
        return line
    text = line.lstrip("\u3000")
    parts = re.split(r"(\"[^\"]*\"|'[^']*')", "  " * (len(line) - len(text)) + text)
    for pattern, meant in _SLIPS:
        parts[::2] = [pattern.sub(meant, part) for part in parts[::2]]
    return "".join(parts)


def wide_typing(name: str, text: str) -> Iterator[Problem]:
    """Every line typed with Chinese punctuation where YAML needs its own: `name：移动`, `scale: ［1, 10］`."""
    for number, line in enumerate(text.split("\n"), 1):
        meant = narrowed(line)
        if meant != line:
            chars = [c for c in dict.fromkeys(line) if c in WIDE and line.count(c) > meant.count(c)]
            yield _wide(f"{name}:{number}", line.strip(), "".join(chars))


def _wide(where: str, line: str, chars: str) -> Problem:
    shown = line if len(line) <= 40 else line[:40] + "..."
    typed, meant = " ".join(chars).replace("\u3000", "(space)"), " ".join(WIDE[char] for char in chars)
    typed_zh = "".join(chars).replace("\u3000", "（空格）")
    more, more_zh = (' (a space follows ":")', "（冒号后加空格）") if "：" in chars else ("", "")
    return problem(
        "E-FULLWIDTH",
        where,
        f'full-width "{typed}" stands in "{shown}".',
        f"“{shown}”中使用了全角符号“{typed_zh}”。",
        f'Type half-width "{meant}"{more}.',
        f"请改用半角“{meant}”{more_zh}。",
    )


def _syntax(name: str, text: str, error: yaml.YAMLError) -> Problem:
    """A tab where it is to blame, else what YAML says, with its line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0)) + 1
    where = f"{name}:{line}"
    said = str(getattr(error, "problem", "") or getattr(error, "reason", "") or "not YAML")
    rows = text.splitlines()
    here = rows[line - 1] if 0 < line <= len(rows) else ""
    if "\t" in here and ("\\t" in said or here.lstrip(" ").startswith("\t")):
        return problem(
            "E-TAB",
            where,
            "the line is indented with a tab.",
            "该行使用了制表符缩进。",
            "Indent with spaces.",
            "请用空格缩进。",
        )
    return problem(
        "E-YAML",
        where,
        f"the file cannot be read here ({said}).",
        f"此处无法解析（{said}）。",
        'Check the indentation, the ": " behind keys, and open quotation marks or brackets '
        "in this line and the one before.",
        "请检查本行及上一行的缩进、键后的冒号加空格，以及未闭合的引号或括号。",
    )


def _no_file(path: Path, missing_at: str) -> Problem:
    return problem(
        "E-FILE",
        missing_at or str(path),
        f'there is no file "{path}".',
        f"文件“{path}”不存在。",
        "Check the name; it is looked up beside the study file."
        if missing_at
        else "Check the path, or make one with `csi init`.",
        "请检查文件名；文件应放在研究文件所在的文件夹。" if missing_at else "请检查路径，或用 csi init 新建。",
    )


def _not_utf8(path: Path, content: bytes, error: UnicodeDecodeError) -> Problem:
    line = content.count(b"\n", 0, error.start) + 1
    return problem(
        "E-ENCODING",
        f"{path.name}:{line}",
        "the file is not UTF-8.",
        "该文件不是 UTF-8 编码。",
        "Save it as UTF-8 (it may be GBK).",
        "请另存为 UTF-8（原文件可能是 GBK 编码）。",
    )


def _alias(name: str) -> Problem:
    return problem(
        "E-YAML",
        name,
        "anchors and aliases (&name, *name) are not read here.",
        "不支持 YAML 锚点和别名（&name、*name）。",
        'Write the value out, or quote a text that starts with "*" or "&".',
        "请写出完整内容；以“*”或“&”开头的文字请加引号。",
    )


def _too_deep(name: str) -> Problem:
    return problem(
        "E-YAML",
        name,
        "brackets are nested too deeply.",
        "括号嵌套过深。",
        "Check for brackets that are never closed.",
        "请检查未闭合的括号。",
    )


def _no_mapping(name: str, *, empty: bool) -> Problem:
    if empty:
        return problem(
            "E-EMPTY", name, "the file is empty.", "文件是空的。", "Make one with `csi init`.", "可用 csi init 新建。"
        )
    return problem(
        "E-YAML",
        f"{name}:1",
        "the file does not consist of `key: value` lines.",
        "文件内容不是“键: 值”的形式。",
        "See `csi init` for an example.",
        "可参考 csi init 生成的示例。",
    )
