"""`python -m handbook`: make the site, into reports/site. `--pages` stops before mkdocs; `--quick` runs no example."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from handbook.api_pages import api
from handbook.catalogue_pages import measures, messages
from handbook.evidence import evidence
from handbook.model_pages import models
from handbook.page import LANGUAGES, Page
from handbook.prose import ROOT, prose
from handbook.site import build, check, write
from handbook.tutorials import Shown, tutorials
from handbook.verb_pages import verbs


def pages(shown: Shown, *, run: bool) -> list[Page]:
    """Every page of the site."""
    made = [*measures(), *messages(), *models(), *verbs(), *api(), *evidence()]
    return [*prose(run=run), *tutorials(shown, run=run), *made]


def main() -> None:
    """Make the site."""
    parser = argparse.ArgumentParser(prog="python -m handbook", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "reports" / "site", help="the folder of the site")
    parser.add_argument("--pages", action="store_true", help="write the markdown only")
    parser.add_argument("--quick", action="store_true", help="run no example and no notebook")
    args = parser.parse_args()
    target, sources, shown = args.to.resolve(), args.to.resolve().with_name(args.to.name + ".pages"), Shown()
    shutil.rmtree(sources, ignore_errors=True)
    write(pages(shown, run=not args.quick), sources)
    if args.pages:
        return
    build(sources, target)
    for lang in LANGUAGES:
        for page in sorted((target / lang / "tutorials").glob("*.html")):
            page.write_text(shown.fill(page.read_text(encoding="utf-8")), encoding="utf-8")
    check(target)
    shutil.rmtree(sources)
    print(target / "index.html")


if __name__ == "__main__":
    main()
