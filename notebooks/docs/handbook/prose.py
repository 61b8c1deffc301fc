"""Pages that people write, `en/` and `zh/` beside this package: what their examples print is put below them.

Blocks of ```python and ```sh (lines of `csi ...`) are run, page by page, in a folder with the demonstration data;
blocks of ```yaml whose first line is `# file: NAME` are written there first. Blocks of ```bash and ```r
are shown, not run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from csi.cli import main
from csi.errors import Language
from handbook.page import LANGUAGES, Page

HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]
BLOCK = re.compile(r"^```(\w+)[ ]*(\{[^}]*\})?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = 24
FINE_CODES = {"check": (0, 1), "validate": (0, 1), "diff": (0, 1)}
"""Verbs whose exit code says what they found."""


@dataclass(frozen=True)
class Block:
    """A block of code of a page: its kind, options such as {lines=9} or {quiet}, and text."""

    kind: str
    options: str
    text: str

    @property
    def lines(self) -> int:
        """How many lines of its output are shown."""
        found = re.search(r"lines=(\d+)", self.options)
        return 0 if "quiet" in self.options else int(found[1]) if found else SHOWN


def paths() -> list[str]:
    """Every page, below a language's folder."""
    return sorted(str(p.relative_to(HERE / "en")) for p in (HERE / "en").rglob("*.md"))


def source(path: str, lang: Language) -> str:
    """A page as it was written."""
    return (HERE / lang / path).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The blocks of code of a page, in order."""
    return [Block(m[1], m[2] or "", m[3]) for m in BLOCK.finditer(text)]


def commands(text: str) -> list[list[str]]:
    """The command lines of a block of sh, as words after `csi`.

    Example:
        >>> commands("csi models # all" + chr(10) + "csi explain htmt")
        [['models'], ['explain', 'htmt']]
    """
    rows = (shlex.split(row, comments=True) for row in text.replace("\\\n", " ").splitlines())
    return [words[1:] for words in rows if words and words[0] == "csi"]


def prose(*, run: bool = True) -> list[Page]:
    """All pages that people wrote, with what their examples print where `run`."""
    return [Page(p, {lang: told(source(p, lang), lang, run=run) for lang in LANGUAGES}, boost=2.0) for p in paths()]


def told(text: str, lang: Language, *, run: bool = True) -> str:
    """A page with the output of its examples.

    Raises:
        RuntimeError: an example fails.
    """
    with place() if run else contextlib.nullcontext():
        names: dict[str, object] = {"__name__": "__main__"}

        def replaced(match: re.Match[str]) -> str:
            block = Block(match[1], match[2] or "", match[3])
            kind = "sh" if block.kind == "bash" else block.kind
            said = _ran(block, names, lang) if run else ""
            return f"```{kind}\n{block.text}```" + (f"\n\n```text\n{said}\n```" if said else "")

        made = BLOCK.sub(replaced, text)
    return made if run or not any(runs(block) for block in blocks(text)) else under_title(made, UNRUN[lang])


UNRUN: dict[Language, str] = {
    "en": "*The examples of this page were not run when it was made (`--quick`): what they print is not shown.*",
    "zh": "*本页生成时未运行示例（`--quick`），因此不显示其输出。*",
}
"""What a page says whose examples were not run."""


def runs(block: Block) -> bool:
    """Whether a block prints something when it is run.

    Example:
        >>> runs(Block("sh", "", "csi models")), runs(Block("sh", "", "pip install csi")), runs(Block("yaml", "", ""))
        (True, False, False)
    """
    return block.kind == "python" or (block.kind == "sh" and bool(commands(block.text)))


def under_title(text: str, said: str) -> str:
    """A page with a paragraph below its title.

    Example:
        >>> under_title("# A" + chr(10) + "b", "c").split()
        ['#', 'A', 'c', 'b']
    """
    title, mark, rest = text.partition("\n")
    return f"{title}\n\n{said}\n{rest}" if mark else text


@contextlib.contextmanager
def place() -> Iterator[None]:
    """A folder with a copy of the demonstration data, as the working folder."""
    before = Path.cwd()
    with TemporaryDirectory(prefix="csi-docs-") as folder:
        shutil.copytree(ROOT / "data", Path(folder) / "data")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def _ran(block: Block, names: dict[str, object], lang: Language) -> str:
    """What a block prints, cut to the lines that are shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if block.kind == "yaml":
            _written(block.text)
            return ""
        if block.kind == "sh":
            said = "\n".join(_verb(words, lang) for words in commands(block.text))
        elif block.kind == "python":
            said = _python(block.text, names)
        else:
            return ""
    rows = said.rstrip().splitlines()
    return "\n".join([*rows[: block.lines], *(["..."] if 0 < block.lines < len(rows) else [])])


def _written(text: str) -> None:
    """A file that the page shows, where its first line names it."""
    named = re.match(r"# file: (\S+)\n", text)
    if named:
        Path(named[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(named[1]).write_text(text[named.end() :], encoding="utf-8")


def _verb(words: list[str], lang: Language) -> str:
    """What a command line prints.

    Raises:
        RuntimeError: it fails.
    """
    out, err = io.StringIO(), io.StringIO()
    spoken = words if "--lang" in words else [*words, "--lang", lang]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(spoken)
    if code not in FINE_CODES.get(words[0], (0,)):
        raise RuntimeError(f"csi {shlex.join(words)} ended with {code}: {err.getvalue()}")
    return out.getvalue().rstrip() + ("\n" + err.getvalue().rstrip() if code else "")


def _python(text: str, names: dict[str, object]) -> str:
    """What a block of Python prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "<page>", "exec"), names)  # noqa: S102 - the page's own example
    return out.getvalue()
