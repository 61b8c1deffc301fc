"""Words of every drawing: none over another, over a mark not its own, or outside, whatever names and numbers come."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from csi.errors import Text
from csi.models.cards import card_names, read_card
from csi.reporting import figures, style
from csi.reporting.figures.shares import share_panels
from csi.reporting.text_width import text_width

NAME = "{http://www.w3.org/2000/svg}"
LONG = "西南地区数字化融合通信与家庭宽带一体化综合服务运营商（集团）有限责任公司客户部门甲"
HAN = {"a": Text(LONG, LONG), "b": Text("Loyalty towards the company and everything it sells", "对企业及其产品的忠诚")}
Array = npt.NDArray[np.float64]
Word = tuple[str, float, float, float, float]
Ground = tuple[float, float, float, float, str]


def words_of(root: ET.Element, lang: str) -> list[Word]:
    """Upright texts as (words, x0, y0, x1, y1), from the fonts' own widths; halos left out."""
    found = []

    def walk(node: ET.Element, right: float, down: float) -> None:
        moved = re.match(r"translate\(([-\d.]+) ([-\d.]+)\)$", node.attrib.get("transform", ""))
        if moved:
            right, down = right + float(moved[1]), down + float(moved[2])
        elif "transform" in node.attrib:
            return
        if node.tag == f"{NAME}text" and node.text and "stroke" not in node.attrib:
            size = float(node.attrib["font-size"])
            wide = text_width(node.text, size, bold=node.attrib.get("font-weight") == "700", lang=lang)
            x, y = float(node.attrib["x"]) + right, float(node.attrib["y"]) + down
            left = x - {"start": 0, "middle": wide / 2, "end": wide}[node.attrib.get("text-anchor", "start")]
            found.append((node.text, left, y - 0.78 * size, left + wide, y + 0.2 * size))
        for one in node:
            walk(one, right, down)

    walk(root, 0.0, 0.0)
    return found


def faults(drawn: str, lang: str) -> list[tuple[str, str]]:
    """Words outside the drawing and words over words."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    found, bad = words_of(root, lang), []
    for i, (one, x0, y0, x1, y1) in enumerate(found):
        if x0 < -1 or x1 > width + 1 or y0 < -1 or y1 > height + 1:
            bad.append((one, "outside"))
        bad += [
            (one, other)
            for other, a0, b0, a1, b1 in found[:i]
            if min(x1, a1) - max(x0, a0) > 1 and min(y1, b1) - max(y0, b0) > 2.5
        ]
    return bad


def too_pale(drawn: str) -> list[tuple[str, str]]:
    """Words whose contrast with what they stand on (the last box, circle or ellipse below them) is less than AA."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    below: list[Ground] = []
    rings: list[Ground] = []
    bad = []
    for node in root.iter():
        at, tag = node.attrib, node.tag.removeprefix(NAME)
        fill = at.get("fill", "none")
        if tag == "rect" and fill != "none" and "fill-opacity" not in at:
            x, y, w, h = (float(at[k]) for k in ("x", "y", "width", "height"))
            below.append((x, y, x + w, y + h, fill))
        elif tag == "ellipse":
            x, y, rx, ry = (float(at[k]) for k in ("cx", "cy", "rx", "ry"))
            rings.append((x, y, rx, ry, fill))
        elif tag == "text" and "stroke" not in at and "transform" not in at:
            x, y = float(at["x"]), float(at["y"]) - 4
            ground = [c for x0, y0, x1, y1, c in below if x0 <= x <= x1 and y0 <= y <= y1][-1:] or [style.PAPER]
            ground = [c for a, b, rx, ry, c in rings if math.hypot((x - a) / rx, (y - b) / ry) < 0.9] or ground
            if style.contrast(fill, ground[0]) < style.AA:
                bad.append((str(node.text), f"{fill} on {ground[0]}"))
    return bad


def diagram_faults(drawn: str, lang: str) -> list[tuple[str, str]]:
    """The same, and words over nodes, plates and arrows that are not their own; nodes over nodes."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    shift = float(root.find(f"{NAME}g").attrib["transform"].split()[1].rstrip(")"))
    rings = [tuple(float(n.attrib[k]) for k in ("cx", "cy", "rx", "ry")) for n in root.iter(f"{NAME}ellipse")]
    plates = [
        tuple(float(n.attrib[k]) for k in ("x", "y", "width", "height"))
        for n in root.iter(f"{NAME}rect")
        if "stroke" in n.attrib
    ]
    ways = [n.attrib["d"] for n in root.iter(f"{NAME}path") if "A" not in n.attrib["d"]]
    links = [n.attrib for n in root.iter(f"{NAME}line") if n.attrib["stroke"] == style.FAINT]
    courses = [_course(d) for d in (*ways, *("M{x1} {y1}L{x2} {y2}".format(**at) for at in links))]
    points = np.concatenate([*courses, np.empty((0, 2))])
    bad = faults(drawn, lang)
    for said, x0, top, x1, foot in words_of(root, lang):
        y0, y1 = top - shift, foot - shift
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        if not any(math.hypot((middle[0] - x) / rx, (middle[1] - y) / ry) < 0.95 for x, y, rx, ry in rings):
            bad += [
                (said, "on a node")
                for x, y, rx, ry in rings
                if math.hypot(max(x0 - x, x - x1, 0) / rx, max(y0 - y, y - y1, 0) / ry) <= 0.99
            ]
            hit = (points[:, 0] > x0) & (points[:, 0] < x1) & (points[:, 1] > y0) & (points[:, 1] < y1)
            bad += [(said, "on an arrow")] * int(hit.any())
            bad += [
                (said, "over the edge of a plate")
                for x, y, w, h in plates
                if min(x1, x + w) - max(x0, x) > 1 and min(y1, y + h) - max(y0, y) > 1 and (x0 < x or x1 > x + w)
            ]
        if "…" in said:
            bad.append((said, "cut"))
    for i, (x, y, rx, ry) in enumerate(rings):
        near = [k for k, (a, b, c, d) in enumerate(rings[:i]) if math.hypot((x - a) / (rx + c), (y - b) / (ry + d)) < 1]
        bad += [(f"node {i}", f"node {k}") for k in near]
        bad += [
            (f"node {i}", "a plate")
            for a, b, w, h in plates
            if math.hypot(max(a - x, x - a - w, 0) / rx, max(b - y, y - b - h, 0) / ry) < 1
        ]
        inside = np.hypot((points[:, 0] - x) / rx, (points[:, 1] - y) / ry) < 0.99
        bad += [(f"node {i}", "an arrow")] * int(inside.any())
    return bad


def _course(d: str) -> Array:
    """Points of an arrow, (41, 2)."""
    numbers = [float(v) for v in re.findall(r"-?[\d.]+", d)]
    start, end = np.array(numbers[:2]), np.array(numbers[-2:])
    bend = np.array(numbers[2:4]) if "Q" in d else (start + end) / 2
    t = np.linspace(0, 1, 41)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end


def frames(names: list[str], arrows: list[tuple[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Paths, nodes and items with numbers of every width."""
    n = len(arrows)
    paths = pl.DataFrame(
        {
            "predictor": [a for a, _ in arrows],
            "outcome": [b for _, b in arrows],
            "estimate": [(0.1 + 0.07 * (5 * i % 11)) * (-1 if i % 7 == 3 else 1) for i in range(n)],
            "conf_low": [-0.04] * n,
            "conf_high": [0.62] * n,
            "significant": [i % 4 != 3 for i in range(n)],
        }
    )
    outcomes = {b for _, b in arrows}
    r2 = [0.4 if c in outcomes else None for c in names]
    nodes = pl.DataFrame({"construct": names, "index": 70.1, "r2": pl.Series(r2, dtype=pl.Float64)})
    rows = [
        (c, f"{c[:6]}{i}", 0.6 + 0.07 * i, i == 1, k % 5 == 4) for k, c in enumerate(names) for i in range(1, 4 + k % 3)
    ]
    return paths, nodes, pl.DataFrame(rows, schema=["construct", "item", "loading", "weak", "formative"], orient="row")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_card_s_layout_keeps_its_words_apart_in_both_views(lang):
    bad = {}
    for card in card_names():
        found = read_card(card)
        assert set(found.layout) == set(found.constructs), card
        paths, nodes, items = frames(list(found.constructs), [(a.predictor, a.outcome) for a in found.arrows])
        for view, own in (("structural", None), ("full", items)):
            drawn = figures.path_diagram(
                paths, nodes, lang=lang, labels=found.labels, layout=found.layout, target="satisfaction", items=own
            )
            assert drawn.count("<ellipse") == len(found.constructs)
            bad[card, view] = diagram_faults(drawn, lang) + too_pale(drawn)
    assert {k: v for k, v in bad.items() if v} == {}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_models_of_users_with_awkward_names_keep_them_apart_too(lang):
    names = [f"x{i}" for i in range(9)]
    labels = {n: HAN["a" if i % 2 else "b"] for i, n in enumerate(names)} | {"x3": Text("<b>=1+1</b>", "忠")}
    arrows = [
        ("x0", "x3"),
        ("x1", "x3"),
        ("x2", "x4"),
        ("x3", "x5"),
        ("x4", "x5"),
        ("x5", "x6"),
        ("x0", "x6"),
        ("x5", "x7"),
    ]
    paths, nodes, items = frames(names, arrows)
    for own in (None, items.with_columns(pl.col("item") + "_" + LONG)):
        drawn = figures.path_diagram(paths, nodes, lang=lang, labels=labels, target="x5", items=own)
        assert [f for f in diagram_faults(drawn, lang) if f[1] != "cut"] == []


def brands(n: int) -> pl.DataFrame:
    """Brands close to each other, the first with a long name."""
    value = [70 + 0.1 * i for i in range(n)]
    names = ["a", *(f"brand {i}" for i in range(1, n))]
    return pl.DataFrame(
        {
            "brand": names,
            "index": value,
            "conf_low": [v - 2 for v in value],
            "conf_high": [v + 2 for v in value],
            "n": 300,
        }
    )


def mapped(n: int) -> pl.DataFrame:
    """Drivers that lie close together."""
    at = [0.2 + 0.004 * (i % 7) for i in range(n)]
    up = [70 + 0.3 * (i % 5) for i in range(n)]
    bounds = {
        f"{k}_{s}": [v + d for v in vs]
        for k, vs in (("importance", at), ("performance", up))
        for s, d in (("low", -0.02), ("high", 0.02))
    }
    return pl.DataFrame(
        {"name": ["a", "b", *(f"driver {i}" for i in range(2, n))], "importance": at, "performance": up, **bounds}
    )


def square(n: int) -> pl.DataFrame:
    names = [f"q{i:02d}" for i in range(n)]
    return pl.DataFrame(
        [(a, b, 0.3 * math.sin(i + k)) for i, a in enumerate(names) for k, b in enumerate(names[:i])],
        schema=["first", "second", "value"],
        orient="row",
    )


def heat(rows: int, columns: int) -> pl.DataFrame:
    names = ["a", "b", *(f"c{i}" for i in range(2, columns))]
    cells = [
        (f"row {r}" if r else "a", c, 60.0 + r + i, 65.0, 20 if r == i else 300)
        for r in range(rows)
        for i, c in enumerate(names)
    ]
    return pl.DataFrame(cells, schema=["row", "column", "value", "reference", "n"], orient="row")


ONE = pl.DataFrame({"wave": ["2026Q1"]})
PAIRED = pl.DataFrame(
    {
        "heading": ["a", "a", "b"],
        "row": ["a", "b", "c"],
        "against": [6.2, 5.0, None],
        "perceived": [6.1, 5.0, 5.0],
        "number": [-1.4, 0.0, None],
        "sure": [True, False, None],
    }
)
SAID = figures.Words(Text("expected", "期望"), Text("perceived", "感知"), Text("desired", "理想"), Text("gap", "差距"))
KANO = pl.DataFrame(
    {
        "attribute": ["a", "b", *(f"f{i}" for i in range(10))],
        "cs_plus": [0.5 + 0.01 * (i % 3) for i in range(12)],
        "cs_minus": [-0.5 - 0.01 * (i % 4) for i in range(12)],
        "sure": [i % 2 == 0 for i in range(12)],
    }
).with_columns(
    pl.col("cs_plus").sub(0.05).alias("cs_plus_low"),
    pl.col("cs_plus").add(0.05).alias("cs_plus_high"),
    pl.col("cs_minus").sub(0.05).alias("cs_minus_low"),
    pl.col("cs_minus").add(0.05).alias("cs_minus_high"),
)
STEPS = pl.DataFrame(
    {
        "name": ["a", "b", "c", "d"],
        "kind": ["level", "step", "step", "level"],
        "value": [70.0, 1.2, -0.2, 71.0],
        "low": [69.0, 0.8, -0.5, 70.0],
        "high": [71.0, 1.6, 0.1, 72.0],
        "sure": [True, True, False, True],
    }
)
LINES = pl.DataFrame(
    [(p, s, x, math.sin(x + len(s))) for p in ("a", "b", "c") for s in ("a", "b") for x in (-3.0, 0.0, 3.0)],
    schema=["panel", "series", "x", "y"],
    orient="row",
)
APART = pl.concat([LINES.with_columns(panel=pl.lit(p), series=pl.lit(p) + pl.col("series")) for p in "ab"])
APART = APART.with_columns(series=pl.when(pl.col("series") == "aa").then(pl.lit("a")).otherwise("series"))
LOADED = pl.DataFrame(
    [
        ("a", i, "b", f, 0.71, f == "b")
        for i in ("q1", "q2")
        for f in ("a", "b", *(f"expectation {k}" for k in range(6)))
    ],
    schema=["construct", "item", "wording", "factor", "loading", "intended"],
    orient="row",
)
AXES = {"across": Text("position on the construct", "构念上的位置"), "up": Text("information", "信息量")}
CHAIN = pl.DataFrame(
    {
        "construct": ["a", "b", "c"],
        "index": [70.0, 71.0, 71.2],
        "conf_low": [68.0, 69.0, 70.0],
        "conf_high": [72.0, 73.0, 72.0],
        "sector": [70.1, 71.2, None],
        "change": [0.1, -2.0, None],
        "significant": [False, True, None],
    }
)

ITEMS = [f"q{i:02d}" for i in range(24)]
RESIDUALS = square(24).rename({"value": "residual"})
HTMT = square(9).rename({"value": "htmt"}).with_columns(conf_low=pl.col("htmt") - 0.1, conf_high=pl.col("htmt") + 0.1)
ROOTS = [8 / i for i in range(1, 41)]
SCREE = pl.DataFrame({"number": range(1, 41), "eigenvalue": ROOTS, "random": [1.5 - 0.02 * i for i in range(40)]})
TWO = pl.DataFrame({"wave": ["2026Q1", "2026Q2"]})
ZONE = PAIRED.with_columns(upper=pl.Series([6.8, 6.9, None]))
OWN = {"labels": HAN, "focal": "a"}
BESIDE = {"labels": HAN, "words": SAID, "bounds": (1, 7)}
RELIABLE = pl.DataFrame(
    {"construct": ["a", "b"], "loadings": [[0.6, 0.81, 0.9], [0.95]], "alpha": [0.875, -1.0], "rho_a": [0.88, None],
     "rho_c": [0.91, None], "ave": [0.66, None], "htmt_max": [0.5, 0.91]}
)  # fmt: skip
WORDED = pl.DataFrame(
    {"construct": ["a", "a", "b"], "item": ["q1", "q_with_a_long_name_2", "q3"], "wording": ["a", "b", "Fair"],
     "shares": [[0.2, 0.8], [0.1, 0.9], [1.0, 0.0]], "loading": [0.8, 0.41, None], "conf_low": [0.7, 0.3, None],
     "conf_high": [0.9, 0.5, None], "mean": [7.1, 6.2, 5.0], "missing": [0.01, 0.08, 0.0]}
)  # fmt: skip
CHANGED = pl.DataFrame({"brand": ["乐"], "change": [12.7], "significant": [True]})
MOVED = brands(1).with_columns(brand=pl.lit("乐")).join(TWO, how="cross")
ROWS = pl.DataFrame({"heading": ["", ""], "row": ["a", "b"], "value_v": [0.48, -0.2], "conf_low": [-0.1, -0.22],
                     "conf_high": [1.1, 0.3]})  # fmt: skip
SHARED = pl.DataFrame([(p, n, 0.9, 0.8, 1.0) for p in "abc" for n in "abc"], ["panel", "name", "share", "low", "high"],
                      orient="row")  # fmt: skip
WORDY = {"panel a": Text("Would stay if a rival lowered its prices", "对手降价时仍会选择继续留在本品牌")}
KINDS: dict[str, Callable[..., str]] = {
    "trend, one wave": partial(figures.trend, brands(4).join(ONE, how="cross"), **OWN),
    "trend, a change": partial(figures.trend, MOVED, labels={}, focal="乐", changes=CHANGED),
    "forest": partial(figures.forest, ROWS, labels=HAN, series={"v": Text("effect", "影响")}),
    "trend, 60 brands": partial(figures.trend, brands(60).join(TWO, how="cross"), **OWN),
    "league, 60 brands": partial(figures.league, brands(60), **OWN),
    "importance": partial(figures.importance_map, mapped(14), labels=HAN),
    "gaps": partial(figures.pairs, PAIRED, **BESIDE),
    "zone of tolerance": partial(figures.pairs, ZONE, **BESIDE),
    "touchpoints": partial(figures.heat_table, heat(6, 5), **OWN),
    "touchpoints, 60 brands": partial(figures.heat_table, heat(3, 60), **OWN),
    "kano": partial(figures.kano_map, KANO, labels=HAN),
    "shares": partial(share_panels, SHARED, labels={**HAN, **WORDY}),
    "waterfall": partial(figures.waterfall, STEPS, labels=HAN),
    "information": partial(figures.panels, LINES, labels=HAN, **AXES),
    "lines of their own": partial(figures.panels, APART, labels=HAN, **AXES),
    "loadings": partial(figures.factor_heat, LOADED, labels=HAN),
    "residuals": partial(figures.residual_heat, RESIDUALS, order=ITEMS),
    "htmt": partial(figures.htmt_matrix, HTMT, labels={"q00": HAN["a"], "q01": HAN["b"]}),
    "scree": partial(figures.scree, SCREE, retained=3),
    "reliability": partial(figures.reliability_table, RELIABLE, labels=HAN),
    "items": partial(figures.item_table, WORDED, labels=HAN),
    "chain": partial(figures.index_chain, CHAIN, **OWN),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_line_of_a_forest_runs_through_a_name(lang):
    for names in (HAN, {}):
        drawn = figures.forest(ROWS, lang=lang, labels=names, series={"v": Text("", "")}, width=style.PHONE)
        root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
        upright = [n.attrib for n in root.iter(f"{NAME}line") if n.attrib["x1"] == n.attrib["x2"]]
        assert upright
        for said, x0, y0, x1, y1 in words_of(root, lang):
            inside = [
                at for at in upright if x0 < float(at["x1"]) < x1 and float(at["y1"]) < y1 and y0 < float(at["y2"])
            ]
            assert not inside, said


@pytest.mark.parametrize("kind", KINDS)
def test_awkward_input_keeps_words_apart_in_every_kind(kind):
    for lang in ("zh", "en"):
        for width in (style.FULL, style.SHEET, style.HALF, style.PHONE, style.HALF_SHEET):
            drawn = KINDS[kind](lang=lang, width=width, finding=f"A finding of {kind}")
            assert faults(drawn, lang) == [], (lang, width)
            assert too_pale(drawn) == [], (lang, width)
            assert ET.fromstring(drawn).attrib["aria-label"] == f"A finding of {kind}"  # noqa: S314 - our own drawing
