"""One finding in many cells is told once, worst first; the table keeps every row."""

import numpy as np
import polars as pl
import pytest

import csi
from csi.cli.fit_tables import finding_lines
from csi.display import text
from csi.errors import Text
from csi.measures.admissible import verify
from csi.measures.findings import Finding
from csi.measures.gathered import gathered

NONE = Text("", "")


def finding(cell, en, code="N-X", severity="fine", parameters=(), size=0.0, place=""):
    return Finding(code, severity, cell, place or f"W{cell}", parameters, Text(en, en), NONE, NONE, size)


@pytest.fixture(scope="module")
def sparse():
    """Four cells of one factor with 9, 12, 15 and 25 rows for its 6 parameters, items by formula."""
    parts = []
    for cell, n in (("A", 25), ("B", 12), ("C", 9), ("D", 15)):
        t = np.arange(1, n + 1)
        f = np.sin(1.3 * t)
        items = {f"y{i}": f + 0.7 * np.sin((2.1 + 0.9 * i) * t + i) for i in range(3)}
        parts.append(pl.DataFrame(items).with_columns(brand=pl.lit(cell)))
    return csi.fit(csi.Model.parse("f =~ y0 + y1 + y2"), pl.concat(parts), csi.SEM(), by=["brand"])


def test_cells_with_one_finding_are_counted_and_the_worst_speaks(sparse):
    found = verify(sparse)
    few = found.table.filter(code="N-FEW-ROWS")
    assert few.height == 4
    (line,) = [line for line in text(found).splitlines() if line.startswith("N-FEW-ROWS")]
    assert line.startswith("N-FEW-ROWS  4 cells (worst first: C; B; D; ...); in C: 9 rows for 6 free parameters.")
    (line,) = [line for line in text(found, "zh").splitlines() if line.startswith("N-FEW-ROWS")]
    assert line.startswith("N-FEW-ROWS  4 个单元（由重到轻：C；B；D等）；其中 C：9 行数据估计 6 个自由参数。")


def test_what_all_cells_share_is_said_once(sparse):
    (line,) = [line for line in text(verify(sparse)).splitlines() if line.startswith("N-SATURATED")]
    assert line.startswith("N-SATURATED  4 cells (A; B; C; ...): The model has no degrees of freedom.")


def test_the_command_line_tells_the_same(sparse):
    lines = [str(line) for line in finding_lines(verify(sparse), "en") if line]
    assert sum("N-FEW-ROWS" in line for line in lines) == 1
    assert any("4 cells (worst first: C; B; D; ...); in C: 9 rows" in line for line in lines)


def test_errors_come_first_then_what_is_in_most_cells():
    found = [
        finding(0, "rare"),
        *(finding(c, "frequent", "N-Y") for c in range(3)),
        finding(2, "wrong", "E-Z", "error", ("a",)),
        finding(3, "wrong", "E-Z", "error", ("b",)),
    ]
    assert [(g.code, g.worst.parameters, g.cells) for g in gathered(found)] == [
        ("E-Z", ("a",), 1),
        ("E-Z", ("b",), 1),
        ("N-Y", (), 3),
        ("N-X", (), 1),
    ]


def test_groups_of_one_cell_are_groups():
    found = [finding(0, "no", size=s, place=p) for s, p in ((1.0, "boys"), (2.0, "girls"))]
    (one,) = gathered(found)
    assert one.say() == "2 groups (girls; boys): no"
    assert one.say("zh") == "2 个组（girls；boys）：no"


def test_one_cell_speaks_for_itself():
    (one,) = gathered([finding(7, "no")])
    assert one.say() == "W7: no"


def test_only_the_cell_that_needs_it_is_fitted_again():
    t = np.arange(1, 201)
    f = np.sin(1.3 * t)
    good = {f"y{i}": f + 0.7 * np.sin((2.1 + 0.9 * i) * t + i) for i in range(3)}
    poor = {"y0": f, "y1": f + 0.9 * np.sin(3 * t), "y2": f - 0.5 * np.sin(3 * t) + 0.9 * np.sin(4.4 * t)}
    frame = pl.concat(
        [pl.DataFrame(items).with_columns(brand=pl.lit(cell)) for cell, items in (("good", good), ("poor", poor))]
    )
    est = csi.fit(csi.Model.parse("f =~ y0 + y1 + y2"), frame, csi.SEM(), by=["brand"])
    found = verify(est)
    (refit,) = found.refits
    assert refit.cell == 1
    assert refit.at_bound == ("y0 ~~ y0",)
    assert len(refit.estimate.values) == 1
    assert refit.estimate.moments.cells["brand"].to_list() == ["poor"]
    assert refit.chi2[0] == pytest.approx(est.extra["sem"].test.statistic[1], abs=1e-9)
    assert next(f for f in found.findings if f.code == "N-REFIT").place == "poor"
