"""The documentation site: every measure, code, model, verb and name has its page, and pages say what csi says."""

import doctest
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

import csi
from csi.catalogue import codes, entry, explain, names
from csi.cli.shell import parser_of
from csi.cli.verbs import VERBS
from csi.errors import Problems
from csi.models.cards import card_names, read_card
from csi.reporting.methods import METHODS, method_of

FOLDER = Path(__file__).parents[2] / "notebooks" / "docs"
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module", autouse=True)
def handbook():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield
    for name in [n for n in sys.modules if n.partition(".")[0] == "handbook"]:
        del sys.modules[name]


def test_a_measure_has_formula_source_and_threshold_and_whose_it_is():
    from handbook.catalogue_pages import measures  # noqa: PLC0415 - found once the folder is on the path

    pages = {p.path: p for p in measures()}
    assert set(pages) == {"measures.md", *(f"measures/{n}.md" for n in names())}
    for lang in LANGUAGES:
        for name in names():
            text, found = pages[f"measures/{name}.md"].body[lang], entry(name)
            assert found.formula in text
            assert "\n".join(explain(name, lang)) in text
            assert f"](measures/{name}.md)" in pages["measures.md"].body[lang]
    zh = pages["measures/htmt.md"].body["zh"]
    assert "标准出处：Henseler" in zh
    assert "**低于 0.85；概念相近的构念低于 0.90**" in zh


def test_a_measure_page_prints_what_the_command_line_prints(capsys):
    from handbook.catalogue_pages import measure  # noqa: PLC0415 - found once the folder is on the path

    from csi.cli import main  # noqa: PLC0415 - after the folder

    assert main(["explain", "htmt", "--lang", "zh"]) == 0
    assert capsys.readouterr().out.strip() in measure(entry("htmt"), "zh")


def test_every_code_has_a_page_with_its_remedy():
    from handbook.catalogue_pages import messages  # noqa: PLC0415 - found once the folder is on the path

    pages = {p.path: p for p in messages()}
    assert set(pages) == {"codes.md", *(f"codes/{c}.md" for c in codes())}
    for code in codes():
        for lang in LANGUAGES:
            assert explain(code, lang)[1] in pages[f"codes/{code}.md"].body[lang]


def test_a_card_has_a_page_with_its_diagram_and_a_model_its_formula():
    from handbook.model_pages import card_page, listed, method_page  # noqa: PLC0415 - found once the folder is on the path

    page = card_page(read_card("acsi"))
    drawn = page.files["models/acsi.svg"]
    assert "<svg" in drawn["zh"]
    assert drawn["zh"] != drawn["en"]
    assert "Fornell" in page.body["en"]
    assert "G = P − E" in method_page(method_of("gap"), "zh")
    found = set(re.findall(r"\]\(models/([\w-]+)\.md\)", listed("en")))
    own = {*METHODS}
    assert own <= found
    assert {f"{n}-card" if n in own else n for n in card_names()} <= found


def test_a_public_name_and_a_verb_have_pages_from_their_sources():
    from handbook.api_pages import name_page  # noqa: PLC0415 - found once the folder is on the path
    from handbook.verb_pages import verb_page  # noqa: PLC0415 - same
    from handbook.words import ROOMS  # noqa: PLC0415 - same

    text = name_page("fit", "en")
    assert "where: Mapping" in text
    assert ">>> round(float(fit(model, frame, PLS())" in text
    assert "## Model.parse" in name_page("Model", "zh")
    assert {csi._HOMES[n].split(".")[1] for n in csi.__all__} <= set(ROOMS)
    assert "| `--wave WAVE` | 一个期次 |" in verb_page("track", "zh")
    assert "\n| `STUDY` | " in verb_page("track", "en")


def test_what_a_browser_would_fetch_is_found(tmp_path):
    from handbook.site import outward  # noqa: PLC0415 - found once the folder is on the path

    (tmp_path / "a.html").write_text('<a href="https://x.org">x</a><script src="//cdn.x/y.js"></script>', "utf-8")
    (tmp_path / "b.css").write_text("body{background:url(https://x.org/a.png)}", "utf-8")
    assert [row.partition(":")[0] for row in outward(tmp_path)] == ["a.html", "b.css"]
    assert outward(FOLDER) == []


@pytest.mark.skipif(
    importlib.util.find_spec("material") is None, reason='the site needs mkdocs: pip install "csi[docs]"'
)
def test_the_built_site_fetches_nothing(tmp_path):
    from handbook.page import Page, both  # noqa: PLC0415 - found once the folder is on the path
    from handbook.site import build, check, write  # noqa: PLC0415 - same

    every = sorted(set(re.findall(r"[\w/-]+\.md", (FOLDER / "mkdocs.yaml").read_text("utf-8"))))
    write([Page(path, both(f"# {path}\n\nwords", f"# {path}\n\n区分效度")) for path in every], tmp_path / "pages")
    build(tmp_path / "pages", tmp_path / "site")
    check(tmp_path / "site")
    assert "__index" in (tmp_path / "site/zh/search/search_index.js").read_text("utf-8")


PROSE = sorted(str(p.relative_to(FOLDER / "en")) for p in (FOLDER / "en").rglob("*.md"))


def bare(text: str) -> list[str]:
    """A block without its comments and the language it asks for."""
    rows = (re.sub(r"\s+#.*$|^#.*$", "", re.sub(r" --lang (zh|en)$", "", row)).rstrip() for row in text.splitlines())
    return [row for row in rows if row]


@pytest.mark.parametrize("path", PROSE)
def test_prose_is_in_both_languages_with_the_same_examples(path):
    from handbook.prose import blocks, commands, source  # noqa: PLC0415 - found once the folder is on the path

    said = {lang: source(path, lang) for lang in LANGUAGES}
    found = {lang: blocks(text) for lang, text in said.items()}
    assert [(b.kind, bare(b.text)) for b in found["en"]] == [(b.kind, bare(b.text)) for b in found["zh"]]
    assert len(re.findall(r"^#+ ", said["en"], re.MULTILINE)) == len(re.findall(r"^#+ ", said["zh"], re.MULTILINE))
    words = re.sub(r"```.*?```|`[^`]*`", "", said["zh"], flags=re.DOTALL)
    assert len(re.findall(r"[\u4e00-\u9fff]", words)) > 40
    assert not re.search(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!(][\u4e00-\u9fff]", words)
    for block in found["en"]:
        for verb, *rest in commands(block.text) if block.kind in ("sh", "bash") else ():
            assert mistakes(verb, rest) <= {"E-PACKAGE"}  # of a file whose package is not installed here
        if block.kind == "python":
            used = set(re.findall(r"\bcsi\.([A-Za-z_]\w*)", block.text))
            assert used <= {*csi.__all__, "__version__"}, used


def mistakes(verb: str, rest: list[str]) -> set[str]:
    """Codes of what is wrong with a command of the prose."""
    try:
        parser_of(verb, "en").parse_intermixed_args(rest)
    except Problems as told:
        return {p.code for p in told.problems}
    return set()


def test_a_page_whose_examples_were_not_run_says_so():
    from handbook.prose import UNRUN, told  # noqa: PLC0415 - found once the folder is on the path

    page = "# A\n\nText.\n\n```sh\ncsi models\n```\n"
    for lang in LANGUAGES:
        assert told(page, lang, run=False).split("\n\n")[1] == UNRUN[lang]
        assert UNRUN[lang] not in told("# A\n\n```r\nlibrary(x)\n```\n", lang, run=False)


def test_links_of_the_prose_lead_to_pages():
    from handbook.prose import source  # noqa: PLC0415 - found once the folder is on the path

    made = {"measures": names(), "codes": codes(), "verbs": VERBS, "api": csi.__all__}
    known = {FOLDER / "en" / p for p in PROSE} | {FOLDER / "en" / f"{f}/{n}.md" for f, ns in made.items() for n in ns}
    nav = re.findall(r"[\w/-]+\.md", (FOLDER / "mkdocs.yaml").read_text("utf-8"))
    known |= {FOLDER / "en" / p for p in nav}
    for lang in LANGUAGES:
        for path in PROSE:
            for target in re.findall(r"\]\(([^)#]+\.md)[^)]*\)", source(path, lang)):
                if "/models/" not in target:
                    assert (FOLDER / "en" / path).parent.joinpath(target).resolve() in known, (path, target)


def test_the_parity_sheet_holds_its_tolerances_and_says_what_csi_says():
    from handbook.parity import rows, sheet  # noqa: PLC0415 - found once the folder is on the path

    from tests.reference.parity import composite_fit, reliabilities  # noqa: PLC0415 - needs numpy and scipy

    found = rows()
    assert len({row["program"].split()[0].strip(",") for row in found}) >= 8
    assert not [row for row in found if float(row["difference"]) > float(row["tolerance"])]
    known = {tuple(row[k] for k in ("program", "data", "case", "quantity")): row for row in found}
    made = [*reliabilities(), next(composite_fit())]
    assert len(made) > 10
    for line in made:
        row = known[line.key]
        assert int(row["compared"]) == line.compared
        assert line.difference <= line.tolerance
        assert float(row["reference"]) == pytest.approx(line.reference, rel=1e-9) or row["worst"] != line.worst
    assert f"共 {len(found)} 行" in sheet(found, "zh")


def test_the_tables_of_coverage_are_told_in_chinese():
    from handbook.coverage_zh import HEADINGS, in_chinese  # noqa: PLC0415 - found once the folder is on the path

    text = (FOLDER.parents[1] / "tests/slow/README.md").read_text("utf-8")
    assert set(re.findall(r"^## (.+)$", text, re.MULTILINE)) == set(HEADINGS)
    told = in_chinese(text)
    assert told.count("| 在界限内 |") == len(re.findall(r"\| held \|$", text, re.MULTILINE)) > 500
    assert "覆盖率 .933 至 .950，标准误比 .969 至 1.031（9 个量）" in told
    assert len(told.splitlines()) > len(text.splitlines()) - 30


@pytest.mark.parametrize("name", ["page", "prose", "site", "coverage_zh", "speed"])
def test_examples_of_the_handbook_run(name):
    module = importlib.import_module(f"handbook.{name}")
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
