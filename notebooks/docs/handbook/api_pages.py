"""A page for every public name of `csi`, from its signature and docstring."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import csi
from csi.errors import Language
from handbook import words
from handbook.page import LANGUAGES, Page, fenced, literal, table

SECTION = re.compile(r"^(Parameters|Attributes|Returns|Yields|Raises|Source|Agrees|Example|Examples):(.*)$")
HEADS = {
    "Parameters": ("Parameters", "参数"), "Attributes": ("Attributes", "属性"), "Returns": ("Returns", "返回"),
    "Yields": ("Yields", "产出"), "Raises": ("Raises", "异常"), "Source": ("Source", "来源"),
    "Agrees": ("Agrees with", "与之一致"), "Example": ("Example", "示例"), "Examples": ("Example", "示例"),
}  # fmt: skip
NAMED = re.compile(r"^([a-z_][\w, ]*): ")


def api() -> list[Page]:
    """The list by room and a page for each name."""
    listed = Page("api.md", {lang: _listed(lang) for lang in LANGUAGES})
    return [listed, *(Page(f"api/{n}.md", {lang: name_page(n, lang) for lang in LANGUAGES}) for n in csi.__all__)]


def room_of(name: str) -> str:
    """The room where a public name lives."""
    return str(getattr(csi, name).__module__).split(".")[1]


def name_page(name: str, lang: Language) -> str:
    """One name: how it is called, what its docstring says, and for a class its public parts."""
    found = getattr(csi, name)
    parts = [f"# csi.{name}", fenced(_signature(name, found), "python")]
    if lang == "zh":
        parts.append(f"*{words.API_ZH.zh}*")
    parts.append(told(inspect.getdoc(found) or "", lang))
    for part, text, call in _parts(found) if inspect.isclass(found) else ():
        parts += [f"## {name}.{part}", fenced(call, "python"), told(text, lang)]
    return "\n\n".join([*parts, f"[← {words.BACK.say(lang)}](../api.md)"])


def told(doc: str, lang: Language) -> str:
    """A docstring as markdown: paragraphs, sections under bold heads, examples as code."""
    out: list[str] = []
    head, held = "", list[str]()
    for line in [*inspect.cleandoc(doc).splitlines(), "Source:"]:
        match = SECTION.match(line)
        if match is None:
            held.append(line)
            continue
        out += _section(head, held, lang)
        head, held = match[1], [match[2].strip()] if match[2].strip() else []
    return "\n\n".join(part for part in out if part)


def _section(head: str, lines: list[str], lang: Language) -> Iterator[str]:
    """One section of a docstring."""
    text = textwrap.dedent("\n".join(lines)).strip("\n")
    if not text.strip():
        return
    if head:
        yield f"**{HEADS[head][lang == 'zh']}**"
    if head.startswith("Example"):
        yield fenced(text, "pycon")
    elif head in ("Parameters", "Attributes", "Raises"):
        yield "\n".join(f"- {_marked(row)}" for row in _entries(text))
    else:
        yield from (_paragraph(p) for p in re.split(r"\n\s*\n", text))


def _entries(text: str) -> Iterator[str]:
    """Lines with those that hang below them."""
    held: list[str] = []
    for line in text.splitlines():
        if held and line[:1] != " " and line.strip():
            yield " ".join(held)
            held = []
        held.append(line.strip())
    yield " ".join(held)


def _marked(row: str) -> str:
    """An entry with its names set as code."""
    match = NAMED.match(row)
    if match is None:
        return _inline(row)
    return ", ".join(f"`{n.strip()}`" for n in match[1].split(",")) + f": {_inline(row[match.end() :])}"


def _paragraph(text: str) -> str:
    """A paragraph; one that is set in is code."""
    return fenced(textwrap.dedent(text)) if all(r.startswith("  ") for r in text.splitlines()) else _inline(text)


def _inline(text: str) -> str:
    """Words as they are, code between backticks as code."""
    parts = re.split(r"(``[^`]+``|`[^`]+`)", text)
    return "".join(
        p
        if i % 2
        else literal(p)
        if p == p.strip()
        else f"{' ' * (p[:1].isspace())}{literal(p)}{' ' * (p[-1:].isspace())}"
        for i, p in enumerate(parts)
    )


def _signature(name: str, found: object) -> str:
    """How a name is called, a line per argument where it is long."""
    try:
        said = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"csi.{name}"
    return _call(f"csi.{name}", [str(p) for p in said.parameters.values()], said)


def _call(name: str, arguments: list[str], said: inspect.Signature) -> str:
    """A call written out."""
    back = "" if said.return_annotation in (said.empty, None, "None") else f" -> {_annotation(said.return_annotation)}"
    kinds = [p.kind for p in said.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        arguments.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    arguments = [re.sub(r": '([^']*)'", r": \1", a).replace("<factory>", "...") for a in arguments]
    flat = f"{name}({', '.join(arguments)}){back}"
    return flat if len(flat) <= 88 else f"{name}(\n" + "".join(f"    {a},\n" for a in arguments) + f"){back}"


def _annotation(of: object) -> str:
    """A return type as it is written."""
    return of if isinstance(of, str) else getattr(of, "__name__", str(of))


def _parts(found: type) -> Iterator[tuple[str, str, str]]:
    """Public methods and properties that have a docstring of their own."""
    for name, value in vars(found).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        text = getattr(function, "__doc__", None)
        if name.startswith("_") or not text or not (inspect.isfunction(function) or isinstance(value, property)):
            continue
        if isinstance(value, property):
            yield name, text, name
            continue
        said = inspect.signature(function)
        arguments = [str(p) for p in said.parameters.values() if p.name not in ("self", "cls")]
        kept = said.replace(parameters=[p for p in said.parameters.values() if p.name not in ("self", "cls")])
        yield name, text, _call(name, arguments, kept)


def _listed(lang: Language) -> str:
    """Public names by room, with their first sentence."""
    parts = [f"# {words.API.say(lang)}", words.API_LEAD.say(lang)]
    homes = {name: room_of(name) for name in csi.__all__}
    for room, title in words.ROOMS.items():
        names = sorted((n for n in csi.__all__ if homes[n] == room), key=str.lower)
        if names:
            heads = (words.NAME.say(lang), words.WHAT.say(lang))
            rows = [(f"[`csi.{n}`](api/{n}.md)", _inline(_first(getattr(csi, n))).replace("|", "\\|")) for n in names]
            parts += [f"## {title.say(lang)}", table(heads, rows)]
    return "\n\n".join(parts)


def _first(found: object) -> str:
    """The first sentence of a docstring."""
    return " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split())
