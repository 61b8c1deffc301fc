"""Cells in which no parameters meet a constraint: their names, no chi-square, no traceback."""

import numpy as np
import polars as pl

from csi.cli import main


def test_cells_without_a_solution_print_no_chi_square(tmp_path, capsys) -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 1)) + rng.normal(size=(200, 4))
    frame = pl.DataFrame({f"x{i + 1}": X[:, i] for i in range(4)}).with_columns(sex=pl.int_range(200) % 2)
    frame.write_csv(tmp_path / "rows.csv")
    code = main(["fit", "f =~ x1 + a*x2 + x3 + x4; a^2 == -1", str(tmp_path / "rows.csv"), "--by", "sex"])
    told = capsys.readouterr()
    assert code == 3
    assert "a^2 == -1" in told.out + told.err
    lines = [line for line in told.out.splitlines() if line.rstrip().endswith("✗")]
    assert len(lines) == 2
    assert all("–" in line for line in lines)
