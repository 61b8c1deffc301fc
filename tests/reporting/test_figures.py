from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import polars as pl
import pytest

from csi.errors import Text
from csi.models.cards import read_card
from csi.reporting import figures, style, svg
from csi.reporting.figures.league import _brackets
from csi.reporting.layouts import layered
from csi.reporting.text_width import text_width

CARDS = ("scsb", "acsi", "ncsb", "ecsi", "ecsi_mobile", "ccsi")
NAME = "{http://www.w3.org/2000/svg}"


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 - our own drawing


def texts(root: ET.Element, lang: str) -> list[tuple[str, float, float, float, float]]:
    """Upright texts as (words, x0, y0, x1, y1), from the fonts' own widths."""
    shift = 0.0
    group = root.find(f"{NAME}g")
    if group is not None:
        shift = float(group.attrib["transform"].split()[1].rstrip(")"))
    found = []
    for node in root.iter(f"{NAME}text"):
        if "transform" in node.attrib or not node.text or "stroke" in node.attrib:
            continue
        size = float(node.attrib["font-size"])
        wide = text_width(node.text, size, bold=node.attrib.get("font-weight") == "700", lang=lang)
        x, y = float(node.attrib["x"]), float(node.attrib["y"]) + shift
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[node.attrib.get("text-anchor", "start")]
        found.append((node.text, left, y - size * 0.8, left + wide, y + size * 0.22))
    return found


def all_figures(report) -> list[tuple[str, str, str]]:
    found = []
    for section in report.sections:
        for one in section.figures:
            for lang in ("zh", "en"):
                found.append((one.name, lang, one.draw(lang)))
                found.append((one.name + " narrow", lang, one.narrow(lang)))
    return found


def test_every_figure_is_plain_svg_with_its_finding(report):
    for name, _, drawn in all_figures(report):
        root = parsed(drawn)
        assert root.attrib["role"] == "img", name
        assert root.attrib["aria-label"], name
        for node in root.iter():
            assert not {"class", "id", "style", "pathLength", "overflow", "href"} & set(node.attrib), name
            assert node.tag.removeprefix(NAME) not in {"script", "style", "defs", "marker", "image"}, name


def test_no_text_leaves_its_drawing(report):
    for name, lang, drawn in all_figures(report):
        root = parsed(drawn)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for said, x0, y0, x1, y1 in texts(root, lang):
            assert x0 >= -1, (name, lang, said)
            assert x1 <= width + 1, (name, lang, said)
            assert y0 >= -2, (name, lang, said)
            assert y1 <= height + 2, (name, lang, said)


def test_figures_repeat_to_the_byte(report):
    assert all_figures(report) == all_figures(report)


def test_arrow_width_follows_the_coefficient_and_dashes_mean_not_significant(path_frames):
    paths = pl.DataFrame(
        {
            "predictor": ["a", "b"],
            "outcome": ["c", "c"],
            "estimate": [0.5, 0.03],
            "conf_low": [0.4, -0.05],
            "conf_high": [0.6, 0.1],
            "significant": [True, False],
        }
    )
    nodes = pl.DataFrame({"construct": ["a", "b", "c"], "index": [70.0, 71.0, 72.0], "r2": [None, None, 0.3]})
    root = parsed(figures.path_diagram(paths, nodes, lang="zh", labels={}))
    lines = [n for n in root.iter(f"{NAME}path") if "A" not in n.attrib["d"]]
    dashed = [n for n in lines if "stroke-dasharray" in n.attrib]
    assert [float(n.attrib["stroke-width"]) for n in dashed] == [1.3]
    assert sorted(float(n.attrib["stroke-width"]) for n in lines) == [1.3, 1.2 + 7.2 * 0.5]
    shown = [n.text for n in root.iter(f"{NAME}text")]
    assert "0.50" in shown
    assert "−0.05, 0.10" in shown


def test_ring_covers_r2_of_the_ellipse(path_frames):
    paths, _ = path_frames("scsb")
    nodes = pl.DataFrame({"construct": list(read_card("scsb").constructs), "index": 70.0, "r2": 0.5})
    root = parsed(figures.path_diagram(paths, nodes, lang="en", labels={}))
    ring = next(n.attrib["d"] for n in root.iter(f"{NAME}path") if "A" in n.attrib["d"])
    x0, y0, rx, _, _, _, _, x1, y1 = (float(v) for v in re.findall(r"-?[\d.]+", ring))
    assert x1 - x0 == pytest.approx(2 * rx, abs=0.02)
    assert y1 == pytest.approx(y0, abs=2.0)


def test_hostile_names_are_escaped_everywhere(report):
    bad = "<script>alert(1)</script>\"'&\x00"
    frame = pl.DataFrame(
        {
            "brand": [bad, "b"],
            "index": [70.0, 71.0],
            "conf_low": [69.0, 70.0],
            "conf_high": [71.0, 72.0],
            "n": [300, 20],
        }
    )
    drawn = figures.league(frame, lang="zh", labels={"b": Text(bad, bad)}, focal=bad, finding=bad)
    assert "<script" not in drawn
    assert "\x00" not in drawn
    assert parsed(drawn).attrib["aria-label"].startswith("<script>")


def test_absent_values_leave_rows_not_errors():
    league = pl.DataFrame(
        {"brand": ["a", "b"], "index": [70.0, None], "conf_low": [69.0, None], "conf_high": [71.0, None],
         "index_reason": [None, "n < 30"]}
    )  # fmt: skip
    assert "n &lt; 30" in figures.league(league, lang="en", labels={}, focal="a")
    waves = ["w1", "w2", "w3"]
    values = [70.0, None, 72.0]
    gap = pl.DataFrame({"brand": "a", "wave": waves, "index": values, "conf_low": values, "conf_high": values})
    drawn = figures.trend(gap, lang="en", labels={}, focal="a")
    assert "<polyline" not in drawn
    assert "nan" not in drawn


def test_line_breaks_where_the_questionnaire_changed():
    waves = ["2025Q1", "2025Q2", "2025Q3", "2025Q4"]
    values = [70.0, 71.0, 72.0, 73.0]
    frame = pl.DataFrame({"brand": "a", "wave": waves, "index": values, "conf_low": values, "conf_high": values})
    whole = figures.trend(frame, lang="en", labels={}, focal="a")
    broken = figures.trend(frame, lang="en", labels={}, focal="a", breaks=["2025Q3"])
    assert (whole.count("<polyline"), broken.count("<polyline")) == (1, 2)
    span = {"conf_low": [83.0, 84.0, 71.0], "conf_high": [87.0, 88.0, 73.0]}
    carried = pl.DataFrame({"brand": "a", "wave": waves[:3], "index": [85.0, 86.0, 72.0], **span, "run": 0})
    linked = figures.trend(frame, lang="en", labels={}, focal="a", breaks=["2025Q3"], linked=carried)
    assert linked.count("8 3 1.5 3") == 1
    assert "a 85.0 (83.0–87.0)" in linked  # the axis reaches it
    assert linked.count("<polyline") == 5  # two pieces as measured, one linked with the edges of its band


def test_end_labels_stay_apart_with_many_brands():
    brands = [f"b{i}" for i in range(12)]
    frame = pl.DataFrame({"brand": brands, "wave": "2025Q1", "index": 70.0, "conf_low": 69.0, "conf_high": 71.0})
    root = parsed(figures.trend(frame, lang="en", labels={}, focal="b3"))
    rows = sorted(float(n.attrib["y"]) for n in root.iter(f"{NAME}text") if n.text in brands)
    assert min(b - a for a, b in pairwise(rows)) > 26
    assert rows[-1] < float(root.attrib["height"])


def test_map_shades_important_and_weak():
    frame = pl.DataFrame(
        {
            "name": ["strong", "weak"],
            "importance": [0.1, 0.5],
            "importance_low": [0.05, 0.45],
            "importance_high": [0.15, 0.55],
            "performance": [80.0, 60.0],
            "performance_low": [79.0, 59.0],
            "performance_high": [81.0, 61.0],
        }
    )
    root = parsed(figures.importance_map(frame, lang="en", labels={}))
    weak = [n for n in root.iter(f"{NAME}text") if n.text == "weak"]
    assert weak[-1].attrib["fill"] == style.WARN
    area = next(n for n in root.iter(f"{NAME}rect") if n.attrib["fill"] == style.WARN_PALE)
    assert float(area.attrib["width"]) > 100


PAIRED = pl.DataFrame(
    {
        "heading": ["claims", "claims", "advice"],
        "row": ["speed", "a question with a long wording that will not fit beside its marks on a telephone", "fit"],
        "against": [6.2, 5.0, None],
        "perceived": [4.8, 5.3, 5.0],
        "number": [-1.4, 0.3, None],
        "sure": [True, False, None],
    }
)
LEVELS = figures.Words(
    Text("expected", "期望"), Text("perceived", "感知"), Text("desired", "理想"), Text("gap", "差距")
)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [style.FULL, style.HALF, style.PHONE])
def test_pairs_keep_their_words_inside_and_warn_where_experience_falls_short(lang, width):
    for frame in (PAIRED, PAIRED.with_columns(upper=pl.Series([6.8, 6.0, None]))):
        drawn = figures.pairs(frame, lang=lang, labels={}, words=LEVELS, bounds=(1, 7), width=width)
        for said, x0, _, x1, _ in texts(parsed(drawn), lang):
            assert x0 >= -1, said
            assert x1 <= width + 1, said
        assert style.WARN in drawn
        assert "−1.40" in drawn
        assert style.ABSENT in drawn


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [style.FULL, style.HALF, style.PHONE])
def test_names_on_kanos_map_stay_inside_and_apart(lang, width):
    n = 9
    plus = [0.8, 0.78, 0.75, 0.7, 0.3, 0.25, 0.2, 0.15, 0.12]
    minus = [-0.2, -0.3, -0.7, -0.8, -0.9, -0.25, -0.2, -0.1, -0.5]
    frame = pl.DataFrame({"attribute": [f"feature {k}" for k in range(n)], "cs_plus": plus, "cs_minus": minus})
    frame = frame.with_columns(
        cs_plus_low=pl.col("cs_plus") - 0.05,
        cs_plus_high=pl.col("cs_plus") + 0.05,
        cs_minus_low=pl.col("cs_minus") - 0.05,
        cs_minus_high=pl.col("cs_minus") + 0.05,
        sure=pl.col("cs_plus") > 0.2,
        category=pl.when(pl.col("cs_plus") < 0.14).then(pl.lit("R")).otherwise(pl.lit("A")),
    )
    drawn = figures.kano_map(frame, lang=lang, labels={}, width=width)
    named = [box for box in texts(parsed(drawn), lang) if box[0].startswith("feature")]
    assert len(named) == n
    assert sum("reverse" in box[0] or "反向" in box[0] for box in named) == 1
    for k, (said, x0, y0, x1, y1) in enumerate(named):
        assert x0 >= 0, said
        assert x1 <= width, said
        for other, a0, b0, a1, b1 in named[k + 1 :]:
            assert x1 <= a0 or a1 <= x0 or y1 <= b0 + 2 or b1 <= y0 + 2, (said, other)


def test_text_colours_reach_contrast():
    for ink in (style.INK, style.TEXT, style.MUTED, style.STEEL, style.FOCAL, style.WARN, *style.OTHERS):
        assert style.contrast(ink, style.PAPER) >= style.AA
        assert style.contrast("#ffffff", ink) >= style.AA
    for pole in (style.FOCAL, style.WARN, style.TRACK, "#8b959b", "#ffffff"):
        for part in range(51):
            fill = style.shade("#f2efe6", pole, part / 50)
            assert style.contrast(style.readable_on(fill), fill) >= style.AA


def test_layered_layout_puts_causes_left_and_survives_a_cycle():
    places = layered(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("c", "a"), ("d", "c")])
    assert places["a"][0] < places["b"][0] < places["c"][0]
    assert places["d"][0] == places["c"][0] - 1
    assert len(set(places.values())) == 4


def test_spread_keeps_order_and_gap():
    placed = svg.spread([50, 49, 10, 50.5], 20, 0, 100)
    order = sorted(range(4), key=placed.__getitem__)
    assert order == [2, 1, 0, 3]
    assert min(placed[b] - placed[a] for a, b in pairwise(order)) >= 20 - 1e-9


def test_brackets_share_a_lane_unless_they_overlap():
    groups = _brackets([["a", "b"], ["b", "c"], ["d", "e"], ["a"]], ["a", "b", "c", "d", "e"])
    assert groups == [(0, 1, 0), (1, 2, 1), (3, 4, 0)]
