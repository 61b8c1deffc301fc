"""Who may import whom, held by reading the source; nothing is imported here."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "csi"
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)

ROWS = (
    {"errors", "yamlfile"},
    {"display", "catalogue"},
    {"survey", "models"},
    {"moments"},
    {"estimate"},
    {"sem", "pls", "engines"},
    {"inference"},
    {"simulation", "measures"},
    {"importance", "behaviour"},
    {"expectation"},
    {"tracking"},
    {"claims"},
    {"study"},
    {"reporting"},
    {"cli"},
)
HEIGHT = {room: row for row, rooms in enumerate(ROWS) for room in rooms}
LAZY_ROOMS = {"engines", "cli"}  # third-party engines and verbs are loaded where they are used
ENGINES_ONLY = {"pandas", "semopy", "statsmodels", "pingouin"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(node: ast.Import | ast.ImportFrom) -> list[tuple[str, int]]:
    if isinstance(node, ast.Import):
        return [(alias.name, node.lineno) for alias in node.names]
    assert node.level == 0, f"line {node.lineno}: imports are written in full"
    rooms = [alias.name for alias in node.names if alias.name in HEIGHT] if node.module == "csi" else []
    return [(node.module, node.lineno), *((f"csi.{room}", node.lineno) for room in rooms)]


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every statement below a node, however deep; expressions hold no import and no function, and are not entered."""
    for block in ("body", "handlers", "orelse", "finalbody", "cases"):
        found = getattr(node, block, ())
        for one in found if isinstance(found, list) else ():
            yield one
            yield from statements(one)


@dataclass(frozen=True)
class Function:
    """A function's name, its lines, and the lines of imports in its body and anywhere within."""

    name: str
    first: int
    last: int
    imports: tuple[int, ...]
    nested: frozenset[int]


@dataclass(frozen=True)
class Source:
    """A file as read once for all tests: its text, imports with their lines, functions, whether it says its job."""

    text: str
    imports: tuple[tuple[str, int], ...]
    functions: tuple[Function, ...]
    told: bool


IMPORTS = (ast.Import, ast.ImportFrom)


def _function(node: ast.FunctionDef) -> Function:
    lines = (n.lineno for n in statements(node) if isinstance(n, IMPORTS))
    own = tuple(n.lineno for n in node.body if isinstance(n, IMPORTS))
    return Function(node.name, node.lineno, node.end_lineno, own, frozenset(lines))


@cache
def source(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    every = [*statements(tree)]
    functions = tuple(_function(n) for n in every if isinstance(n, ast.FunctionDef))
    imports = tuple(one for n in every if isinstance(n, IMPORTS) for one in imported(n))
    return Source(text, imports, functions, ast.get_docstring(tree) is not None)


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


ROOM = {path: room_of(path) for path in FILES}
ROOMS = sorted(set(ROOM.values()))
in_every_room = pytest.mark.parametrize("room", ROOMS)


def files_of(room: str) -> list[Path]:
    return [path for path in FILES if ROOM[path] == room]


@in_every_room
def test_imports_go_upwards_only(room):
    if room in ("__init__", "__main__"):
        return
    wrong = []
    for path in files_of(room):
        for module, line in source(path).imports:
            parts = module.split(".")
            if parts[0] != "csi" or len(parts) == 1 or parts[1] == room:
                continue
            if HEIGHT[parts[1]] >= HEIGHT[room]:
                wrong.append(f"{name(path)}:{line}: {room} may not import {parts[1]}")
    assert not wrong


@pytest.mark.parametrize("room", [room for room in ROOMS if room != "engines"])
def test_engines_and_pandas_live_in_their_adapters(room):
    wrong = [
        f"{name(path)}:{line}: {module} belongs in csi/engines"
        for path in files_of(room)
        for module, line in source(path).imports
        if module.split(".")[0] in ENGINES_ONLY
    ]
    assert not wrong


@in_every_room
def test_imports_inside_functions_only_where_laziness_is_the_point(room):
    assert not [wrong for path in files_of(room) for wrong in imports_within(path)]


def imports_within(path: Path) -> list[str]:
    rows = source(path).text.splitlines()
    wrong = []
    for function in source(path).functions:
        for place, line in enumerate(function.imports):
            if room_of(path) not in LAZY_ROOMS:
                wrong.append(f"{name(path)}:{line}: import inside a function")
            elif place == 0 and "#" not in rows[line - 1] and "#" not in rows[line - 2]:
                wrong.append(f"{name(path)}:{line}: say why this import is inside the function")
        if room_of(path) not in LAZY_ROOMS and function.nested - set(function.imports):
            wrong.append(f"{name(path)}: import nested in {function.name}")
    return wrong


@in_every_room
def test_sizes_and_promises(room):
    assert not [wrong for path in files_of(room) for wrong in broken_promises(path)]


def broken_promises(path: Path) -> list[str]:
    text, rows = source(path).text, source(path).text.splitlines()
    wrong = ["a file this long holds two jobs"] if len(rows) > 500 else []
    wrong += [
        f"line {f.first}: {f.name} has {f.last - f.first + 1} lines"
        for f in source(path).functions
        if f.last - f.first >= 80
    ]
    wrong += ["a name that says nothing"] if path.stem in {"utils", "helpers", "misc", "common"} else []
    wrong += [] if source(path).told else ["every file says its one job"]
    wrong += ["something is left to do"] if re.search(r"\b(TODO|FIXME|XXX)\b|NotImplementedError", text) else []
    wrong += [
        f"line {n}: an exception from a rule gives its reason"
        for n, row in enumerate(rows, 1)
        if re.search(r"# (noqa|type: ignore)[^#]*$", row)
        and not re.search(r"# (noqa|type: ignore)\S* ?[A-Z0-9, ]*(- |# )\S+", row)
    ]
    return [f"{name(path)}: {what}" for what in wrong]


DISTRIBUTION = {
    "yaml": "pyyaml",
    "fontTools": "fonttools",
    "vaderSentiment": "vadersentiment",
    "docx": "python_docx",
    "pptx": "python_pptx",
}


def test_every_package_imported_is_declared_and_every_declared_package_is_used():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared, optional = (
        {re.split(r"[<>=\[ ]", d)[0].lower().replace("-", "_") for d in every}
        for every in (
            project["dependencies"],
            [d for extra in project["optional-dependencies"].values() for d in extra],
        )
    )
    used = set()
    for path in FILES:
        used |= {module.split(".")[0] for module, _ in source(path).imports}
        used |= set(re.findall(r'import_module\("(\w+)', source(path).text))
    used = {DISTRIBUTION.get(m, m) for m in used if m != "csi" and m not in sys.stdlib_module_names}
    assert used - declared - optional == set(), "import what pyproject.toml declares"
    assert declared - used - NOT_IMPORTED == set(), "declare what is used"


NOT_IMPORTED = {
    "jupyter": "the program in which notebooks are opened",
    "ipykernel": "the kernel that runs the report's notebook",
    "brotli": "fonttools writes woff2 with it",
}.keys()
