"""A small study: two brands, five quarters of the demonstration panel, 100 resamples; commands as a user runs them."""

import json
from pathlib import Path

import polars as pl
import pytest

from csi.cli import main
from csi.study import gate

ROOT = Path(__file__).parents[2]
WAVES = ["2025Q3", "2025Q4", "2026Q1", "2026Q2", "2026Q3"]


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    source = ROOT / "data/telecom"
    panel = pl.read_csv(source / "panel.csv", infer_schema=False)
    kept = panel.filter(pl.col("quarter").is_in(WAVES) & pl.col("operator").is_in(["ZX", "YA"]))
    kept.write_csv(folder / "panel.csv")
    (folder / "codebook.yaml").write_bytes((source / "codebook.yaml").read_bytes())
    (folder / "study.yaml").write_text(
        "\n".join(
            [
                "csi: 1",
                "study: small",
                "title: {zh: 小型研究, en: A small study}",
                "sector: {zh: 移动通信, en: Mobile telecom}",
                "language: zh",
                "data:",
                "  - {file: panel.csv}",
                "codebook: codebook.yaml",
                "keys: {respondent: id, wave: quarter, brand: operator, weight: weight, duration: seconds}",
                f"waves: {{order: [{', '.join(WAVES)}], base: 2025Q3, per_year: 4}}",
                "brands:",
                "  - {name: ZX, zh: 中讯, en: Zhongxun, focal: yes}",
                "  - {name: YA, zh: 云安, en: Yunan}",
                "model: {card: ecsi_mobile}",
                "rules: {speeders: drop, speeders_seconds: 60}",
                "index: {target: satisfaction, weights: base, base: 2025Q3}",
                "bootstrap: {n: 100, seed: 7}",
            ]
        ),
        encoding="utf-8",
    )
    return folder / "study.yaml"


@pytest.fixture
def asked(capsys):
    """Run a command; give its code, its text and what went to standard error."""

    def run(*words):
        code = main([str(w) for w in words])
        seen = capsys.readouterr()
        return code, seen.out, seen.err

    return run


@pytest.fixture
def machine(asked):
    """Run a command with --json; give its object."""

    def run(*words, code=0):
        ended, out, err = asked(*words, "--json")
        assert (ended, err) == (code, ""), out
        return json.loads(out)

    return run


@pytest.fixture(scope="module")
def gate_once():
    """Comparability asked again of the same cells of the same index is what was found before: for tests of what verbs
    say of one study; how it is found is tested elsewhere.
    """
    known, find = {}, gate._judged

    def found(study, sources, *asked):
        of = [(i.cells.rows(), i.constructs, i.values.tobytes(), i.sample is None, keys) for i, keys in sources]
        what = repr((study.settings, study.brands, study.stages, study.segments, of, asked))
        if what not in known:
            known[what] = find(study, sources, *asked)
        return known[what]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "_judged", found)
        yield known
