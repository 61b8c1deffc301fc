"""Notes and refusals of the practice's verbs: labels in place of codes, options in place of Python."""

from types import SimpleNamespace

import polars as pl
import pytest

from csi.errors import Text
from csi.reporting.sections.tracked import _alerts_title


@pytest.fixture(scope="module")
def few(study, tmp_path_factory):
    """The small study with 20 answers of one brand in the last wave."""
    folder = tmp_path_factory.mktemp("few")
    panel = pl.read_csv(study.parent / "panel.csv", infer_schema=False).with_row_index("row")
    there = (pl.col("operator") == "YA") & (pl.col("quarter") == "2026Q3")
    kept = panel.filter(there).head(20)["row"].implode()
    panel.filter(~there | pl.col("row").is_in(kept)).drop("row").write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((study.parent / "codebook.yaml").read_bytes())
    tree = "\ntree: {structure: {market: [ZX, YA]}, base: 2025Q3}\n"
    (folder / "study.yaml").write_text(study.read_text("utf-8") + tree, encoding="utf-8")
    return folder / "study.yaml"


@pytest.mark.parametrize("verb", ["index", "track", "league", "comparable"])
def test_small_cells_bear_their_labels(asked, few, verb):
    errors = () if verb == "comparable" else ("--errors", "linearised")
    said = asked(verb, few, *errors, "--lang", "en")[1]
    assert "YA" not in said
    assert "Yunan 2026Q3" in said
    said = asked(verb, few, *errors, "--lang", "zh")[1]
    assert "YA" not in said
    assert "云安 2026Q3" in said


def test_an_unknown_base_of_the_tree_lists_the_waves(asked, few):
    code, _, err = asked("tree", few, "--base", "2020", "--errors", "linearised", "--lang", "en")
    assert code == 1
    assert '--base: there is no wave "2020" in the data' in err
    assert "2025Q3, 2025Q4, 2026Q1, 2026Q2, 2026Q3" in err


def test_refused_medals_name_the_option(asked, study):
    for lang in ("en", "zh"):
        err = asked("league", study, "--medals", "--errors", "linearised", "--lang", lang)[2]
        assert err.startswith("--medals")
        assert "--medals anyway" in err


def test_alerts_of_the_focal_brand_alone_are_not_counted_twice():
    made = SimpleNamespace(
        wave="2026Q3", focal="ZX", brands=("ZX", "YA"), brand_labels={"ZX": Text("Zhongxun", "中讯")}
    )
    assert _alerts_title(made, 2, 2).en.endswith("2 alerts in 2026 Q3, all on Zhongxun")
    assert _alerts_title(made, 2, 2).zh.endswith("有 2 条预警，均涉及中讯")
    assert _alerts_title(made, 3, 1).en.endswith("3 alerts in 2026 Q3, 1 of them on Zhongxun")
    assert _alerts_title(made, 1, 1).en.endswith("1 alert in 2026 Q3, on Zhongxun")
