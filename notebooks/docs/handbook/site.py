"""From pages to a site: files, mkdocs' settings for each language, and the check that nothing is fetched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from csi.errors import Language, Problems, Text, problem
from handbook.page import LANGUAGES, Page
from handbook.prose import HERE

OUTWARD = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed|use|image)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?![^>]*rel=["']?canonical)[^>]*\bhref=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|url\(\s*["']?(?:https?:)?//[^)]+|@import\s+["'](?:https?:)?//[^"']+""",
    re.IGNORECASE,
)
"""What a browser would fetch from elsewhere while it shows a page; links that a reader follows are none of it."""

START = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>csi</title>
<script>location.replace((navigator.language || "en").startsWith("zh") ? "zh/index.html" : "en/index.html")</script>
</head><body><p><a href="en/index.html">English</a> · <a href="zh/index.html">中文</a></p></body></html>
"""


def outward(folder: Path) -> list[str]:
    """What pages and styles of a folder would fetch from elsewhere, each with its file.

    Example:
        >>> bool(OUTWARD.search('<script src="https://cdn.example/x.js">')), bool(OUTWARD.search('<a href="https://x">'))
        (True, False)
    """
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".html", ".css", ".svg")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(folder)}: {m[0][:120]}" for m in OUTWARD.finditer(text)]
    return found


def write(pages: Iterable[Page], folder: Path) -> None:
    """All pages in both languages, with what lies beside them.

    Raises:
        FileExistsError: two pages have one path.
    """
    for page in pages:
        if (folder / LANGUAGES[0] / page.path).exists():
            raise FileExistsError(page.path)
        for lang in LANGUAGES:
            _put(folder / lang / page.path, page.text(lang))
            for name, text in page.files.items():
                _put(folder / lang / name, text[lang])
    for lang in LANGUAGES:
        shutil.copytree(HERE / "assets", folder / lang / "assets", dirs_exist_ok=True)


def settings(lang: Language, sources: Path, target: Path) -> dict[str, Any]:
    """Settings of mkdocs for one language."""
    shared = yaml.safe_load((HERE / "mkdocs.yaml").read_text(encoding="utf-8"))
    own = shared.pop("languages")[lang]
    shared["theme"] |= {"language": lang, "custom_dir": str(HERE / "theme")}
    shared["plugins"] = [{"search": {"lang": lang, "separator": own["separator"]}}, "offline"]
    return {**shared, "site_name": own["name"], "nav": own["nav"], "docs_dir": str(sources / lang),
            "site_dir": str(target / lang)}  # fmt: skip


def build(sources: Path, target: Path) -> None:
    """Both languages by mkdocs, and the page that chooses between them.

    Raises:
        RuntimeError: mkdocs finds something wrong, such as a link to nowhere; with what it says.
    """
    for lang in LANGUAGES:
        file = sources / f"mkdocs-{lang}.yml"
        _put(file, yaml.safe_dump(settings(lang, sources, target), allow_unicode=True, sort_keys=False))
        words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(file)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own settings
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
    _put(target / "index.html", START)


def check(target: Path) -> None:
    """Refuse a site that a browser would have to fetch anything for.

    Raises:
        Problems: E-OUT, with what is fetched and from where.
    """
    if wrong := outward(target):
        said = "; ".join(wrong[:5])
        what = Text(f"{len(wrong)} places fetch from elsewhere: {said}.", f"{len(wrong)} 处引用外部资源：{said}。")
        do, do_zh = "Put what is needed under notebooks/docs/assets.", "请把所需文件放入 notebooks/docs/assets。"
        raise Problems([problem("E-OUT", str(target), what.en, what.zh, do, do_zh)])


def _put(path: Path, text: str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
