"""Figures of loyalty and of drivers: words inside, what is drawn is what was found."""

import functools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.reporting import figures, style
from csi.reporting.methods.library import run_method
from csi.reporting.text_width import text_width
from csi.study.options import Options

TYPES = pl.DataFrame(
    {
        "type": ["loyalty", "latent", "spurious", "none"],
        "attitude": ["high", "high", "low", "low"],
        "patronage": ["high", "low", "high", "low"],
        "share": [0.6, 0.2, 0.2, 0.0],
        "conf_low": [0.5, 0.1, None, 0.0],
        "conf_high": [0.7, 0.3, None, 0.04],
        "count": [60, 20, 20, 0],
    }
)
LINE = pl.DataFrame(
    {
        "satisfaction": [0.0, 50, 100],
        "fitted": [10.0, 40, 130],
        "conf_low": [0.0, 35, 120],
        "conf_high": [20.0, 45, 140],
    }
)
MEANS = pl.DataFrame(
    {"start": [0.0, 40], "end": [10.0, 50], "n": [1, 30], "mean": [90.0, 41], "conf_low": [None, 38.0],
     "conf_high": [None, 44.0]}
)  # fmt: skip


@functools.cache
def study():
    found = csi.Study.read(Path(__file__).parents[2] / "data" / "insurance" / "study.yaml")
    return found, found.panel()


def inside(drawn: str, width: int, lang: str) -> None:
    """Every upright word lies within the drawing."""
    for one in ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text"):  # noqa: S314 - our own drawing
        if one.get("transform"):
            continue
        wide = text_width("".join(one.itertext()), float(one.get("font-size")), lang=lang)
        start = float(one.get("x")) - {"middle": wide / 2, "end": wide}.get(one.get("text-anchor", "start"), 0.0)
        assert start >= -1
        assert start + wide <= width + 1


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [style.HALF, style.PHONE])
def test_the_map_of_loyalty_is_darker_where_more_are(lang, width):
    names = {
        "attitude": Text("Commitment to the company", "对公司的承诺"),
        "patronage": Text("Buying again", "再次购买"),
    }
    drawn = figures.loyalty_map(TYPES, lang=lang, labels={}, width=width, **names)
    inside(drawn, width, lang)
    fills = re.findall(r'<rect[^>]* fill="(#[0-9a-f]{6})"', drawn)
    assert fills[0] == style.FOCAL
    assert sum(int(fills[1][i : i + 2], 16) for i in (1, 3, 5)) > sum(int(fills[0][i : i + 2], 16) for i in (1, 3, 5))
    assert "50.0–70.0%" in drawn
    assert drawn.count("–") == 3


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [style.FULL, style.PHONE])
def test_the_curve_has_a_band_and_no_single_respondent(lang, width):
    drawn = figures.curve(
        LINE, MEANS, lang=lang, across=Text("S", "满意"), up=Text("L", "忠诚"), knots=[50], width=width
    )
    inside(drawn, width, lang)
    assert drawn.count("<polygon") == drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 2  # the legend's and the band of 30
    heights = [float(p.split(",")[1]) for p in re.search(r'<polygon points="([^"]+)"', drawn).group(1).split()]
    assert min(heights) >= 54  # nothing above 100


def test_shares_of_drivers_and_total_effects_stand_in_one_order():
    section = run_method(*study(), "drivers")
    shares, effects = (f.draw("en") for f in section.figures)
    names = ("Service quality", "Perceived value", "Product quality", "Corporate image", "Customer expectations")
    for drawn in (shares, effects):
        places = [drawn.index(f">{n}<") for n in names]
        assert places == sorted(places)
    assert "29%" in shares
    assert all(f.narrow("zh").startswith("<svg") for f in section.figures)


def test_several_cells_have_no_picture():
    for name in ("drivers", "loyalty_types", "loyalty_curve"):
        assert not run_method(*study(), name, Options(by=("brand",), given=("by",))).figures
