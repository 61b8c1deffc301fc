"""`--to FILE`: every table of a verb in a file, at full precision, and nothing that is withheld in print."""

import re

import polars as pl
import pytest

pytestmark = pytest.mark.usefixtures("gate_once")

TREE = "\ntree: {structure: {market: [ZX, YA]}, base: 2025Q3}\n"


@pytest.fixture(scope="module")
def grown(study, tmp_path_factory):
    """The small study with a tree; one brand with 20 answers in the second wave."""
    folder = tmp_path_factory.mktemp("grown")
    panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False).with_row_index("row")
    there = (pl.col("operator") == "YA") & (pl.col("quarter") == "2025Q4")
    few = panel.filter(there).head(20)["row"].implode()
    panel.filter(~there | pl.col("row").is_in(few)).drop("row").write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
    (folder / "study.yaml").write_text(study.read_text("utf-8") + TREE, encoding="utf-8")
    return folder / "study.yaml"


def words(verb, study):
    errors = () if verb == "comparable" else ("--errors", "linearised")
    more = {"track": ("--explain", "--view", "rolling", "--brand", "YA"), "comparable": ("--align",)}
    return (verb, study, *errors, *more.get(verb, ()))


VERBS = ("index", "track", "tree", "league", "comparable")


@pytest.mark.parametrize("verb", VERBS)
def test_the_workbook_has_every_table_in_words(asked, machine, grown, tmp_path, verb):
    found = machine(*words(verb, grown))
    tables = {k for k, v in found.items() if isinstance(v, list) and v and k not in {"notes", "problems"}}
    for lang in ("zh", "en"):
        out = tmp_path / f"{verb}_{lang}.xlsx"
        code, printed, _ = asked(*words(verb, grown), "--lang", lang, "--to", out)
        assert code == 0
        assert str(out) in printed
        sheets = pl.read_excel(out, sheet_id=0, has_header=False, infer_schema_length=0)
        assert tables <= set(sheets)
        for name in tables:
            heads = [h for h in sheets[name].row(3) if h]
            assert not [h for h in heads if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", h)]
            chinese = [h for h in heads if re.search("[\u4e00-\u9fff]", h)]
            assert bool(chinese) == (lang == "zh")
            if lang == "zh":
                assert "ZX" not in {v for row in sheets[name].rows()[4:] for v in row}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_for_each_table_at_full_precision(asked, machine, grown, tmp_path, kind):
    found = machine(*words("league", grown), "--wave", "2026Q3")
    out = tmp_path / f"league.{kind}"
    assert asked(*words("league", grown), "--wave", "2026Q3", "--to", out)[0] == 0
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    assert read(out)["index"].to_list() == [r["index"] for r in found["league"]]
    assert read(tmp_path / f"league_above.{kind}").height == len(found["above"])
    assert read(tmp_path / f"league_groups.{kind}").columns == ["group", "brand"]


@pytest.mark.parametrize("verb", ["index", "track", "tree"])
def test_what_is_withheld_in_print_is_withheld_in_the_file(asked, grown, tmp_path, verb):
    out = tmp_path / f"{verb}.csv"
    assert asked(*words(verb, grown), "--to", out)[0] == 0
    frame = pl.read_csv(out, infer_schema_length=None)
    who = "node" if verb == "tree" else "brand"
    cell = frame.filter((pl.col(who) == "YA") & (pl.col("wave") == "2025Q4"))
    assert cell.height
    numbers = [c for c in ("index", "std_error", "conf_low", "conf_high") if c in cell.columns]
    assert cell.select(pl.col(numbers).count()).row(0) == (0,) * len(numbers)


def test_another_kind_of_file_is_refused_before_any_work(asked, grown, tmp_path):
    for verb in VERBS:
        code, out, err = asked(verb, grown, "--to", tmp_path / "tables.txt", "--lang", "en")
        assert (code, out) == (1, "")
        assert "xlsx, csv or parquet" in err
