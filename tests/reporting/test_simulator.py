"""The sliders of a page: their numbers are those of `csi.whatif`, and the page is complete without them."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import csi
from csi.errors import Text
from csi.importance.lever_grid import lever_grid
from csi.reporting import style
from csi.reporting.html import render_html
from csi.reporting.section import Headline, Report, Section
from csi.reporting.sections.levers import levers_section
from csi.reporting.simulator import POINTS, Simulator

MODEL = "q =~ q1 + q2 + q3; v =~ v1 + v2; s =~ s1 + s2; v ~ q; s ~ q + v"
ASKED = {"q": 7, "v": -4}


@pytest.fixture(scope="module")
def est():
    rng = np.random.default_rng(5)
    q = rng.normal(size=400)
    v = 0.6 * q + rng.normal(size=400)
    s = 0.4 * q + 0.3 * v + rng.normal(size=400)
    columns = {f"{name}{i}": c + rng.normal(size=400) for name, c in (("q", q), ("v", v), ("s", s)) for i in (1, 2, 3)}
    frame = pl.DataFrame({n: np.clip(np.round(7.5 + 1.4 * x), 1, 10) for n, x in columns.items()})
    return csi.bootstrap(csi.fit(csi.Model.parse(MODEL), frame, csi.PLS(), scale=(1, 10)), n=200, seed=3)


@pytest.fixture(scope="module")
def made(est):
    grid = lever_grid(est, ["q", "v"], "s", POINTS, seed=1)
    return Simulator(grid, (Text("Quality", "质量"), Text("Value", "价值")), Text("satisfaction", "满意度"))


@pytest.fixture(scope="module")
def page(made):
    head = Headline(Text("k", "题"), Text("S", "句"), 70.0, 69.0, 71.0, (), Text("d", "期"))
    section = Section("levers", Text("Finding", "结论"), Text("", ""), simulator=made)
    return render_html(Report(Text("T", "题"), head, (section,), {}))


def test_a_place_of_the_sliders_is_what_whatif_says(est, made):
    told = made.grid.told([int(points - made.first) for points in ASKED.values()])
    row = csi.whatif(est, ASKED, "s").table.row(-1, named=True)
    assert told == pytest.approx((row["change"], row["conf_low"], row["conf_high"]), abs=1e-9)
    ends = csi.whatif(est, ASKED, "s").table.filter(pl.col("role") == "lever")["at_end"].to_list()
    assert [made.grid.at_end[i, p - made.first] for i, p in enumerate(ASKED.values())] == pytest.approx(ends)


def test_the_page_may_run_this_script_alone_and_hides_sliders_without_it(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert len(scripts) == 1
    assert f"script-src 'sha256-{digest}'" in page
    assert page.count("data-simulator hidden") == 2
    assert "http" not in scripts[0]


def test_a_page_without_sliders_runs_nothing(page):
    head = Headline(Text("k", "题"), Text("S", "句"), 70.0, 69.0, 71.0, (), Text("d", "期"))
    bare = render_html(Report(Text("T", "题"), head, (), {}))
    assert "<script" not in bare
    assert "script-src" not in bare


def test_sliders_answer_in_a_browser(page, made, tmp_path: Path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    moved = "".join(f"x[{i}].value={p};x[{i}].dispatchEvent(new Event('input'));" for i, p in enumerate(ASKED.values()))
    each = (
        f"for(const b of document.querySelectorAll('[data-simulator]')){{const x=b.querySelectorAll('input');{moved}}}"
    )
    own = re.sub(r"; script-src [^\"]*", "; script-src 'unsafe-inline'", page)
    (tmp_path / "page.html").write_text(own.replace("</body>", f"<script>{each}</script></body>"), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path / 'own'}"]
    shown = subprocess.run(
        [chromium, *flags, "--dump-dom", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    change, low, high = made.grid.told([int(points - made.first) for points in ASKED.values()])
    now = made.grid.target_now
    gaps = {"now": style.score(now), "after": style.score(now + change), "change": style.change(change)}
    gaps |= {"low": style.change(low), "high": style.change(high)}
    for said in (made.result.en, made.result.zh):
        assert said.format(**gaps) in shown
    assert 'data-simulator="" hidden' not in shown


def test_results_without_rows_have_no_sliders(est):
    with pytest.raises(csi.Problems, match="respondents"):
        lever_grid(replace(est, sample=None), ["q"], "s", POINTS, seed=1)


def test_sliders_and_tables_stand_where_the_published_index_stands(analysis):
    section = levers_section(analysis)
    published = analysis.index.table.filter(brand=analysis.focal, wave=analysis.wave)
    index = dict(published.select("construct", "index").iter_rows())
    assert section.simulator is not None
    assert section.simulator.grid.target_now == index[analysis.target]
    now = dict(section.data["levers"].select("construct", "now").iter_rows())
    assert now == {c: index[c] for c in now}
