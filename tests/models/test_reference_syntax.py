"""Every model text that the reference results were made with parses, round-trips and names lavaan's variables in its
order. The committed records hold the texts; the full reference folder is read as well when it is there."""

import json
import os
from pathlib import Path

import pytest

from csi.models.model import Model

COMMITTED = sorted(Path(__file__, "../../reference").resolve().glob("*/lavaan/*.json"))
FOLDER = Path(os.environ.get("CSI_REFERENCE_DIR", "")) / "reference"
RECORDS = {f"{f.parts[-3]}/{f.stem}": json.loads(f.read_text(encoding="utf-8")) for f in COMMITTED}
FITS = {name: record for name, record in RECORDS.items() if "syntax" in record}


def syntaxes(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "syntax" and isinstance(inner, str):
                yield inner
            else:
                yield from syntaxes(inner)


def round_trips(texts):
    return [text for text in texts if Model.parse(str(Model.parse(text))) != Model.parse(text)]


def test_every_committed_syntax_parses_and_round_trips():
    texts = {record["syntax"] for record in FITS.values()}
    assert len(texts) >= 25
    assert any("u1 | c(NA, NA)*t1 + c(u1.thr1, u1.thr1)*t1" in text for text in texts)
    assert round_trips(texts) == []


@pytest.mark.skipif("CSI_REFERENCE_DIR" not in os.environ, reason="set CSI_REFERENCE_DIR to the reference folder")
def test_every_reference_syntax_parses_and_round_trips():
    files = [*FOLDER.glob("cbsem_*.json"), *FOLDER.glob("ordinal_*.json")]
    texts = {s for f in files for s in syntaxes(json.loads(f.read_text(encoding="utf-8")))}
    assert len(texts) >= 18
    assert round_trips(texts) == []


@pytest.mark.parametrize("name", [n for n, record in FITS.items() if record.get("implied", {}).get("names")])
def test_observed_variables_stand_in_the_order_of_the_fitted_matrix(name):
    record = FITS[name]
    told = record["implied"].get("given", [])  # models of ordinal items given predictors: those have no row
    given = [told] if isinstance(told, str) else told  # R writes one name without its brackets
    observed = list(Model.parse(record["syntax"]).observed)
    assert [o for o in observed if o not in given] == record["implied"]["names"]
    assert [o for o in observed if o in given] == given


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("f =~ y1 + y2 + y3; z ~~ w; y1 ~ c; q ~ f + a; k ~ 1; a ~ b", "y1 y2 y3 q a c b z w k"),
        ("y ~ x; f =~ u1+u2+u3; x ~~ v; v ~~ u9; m ~ 1; u1 ~ x; b~y", "u1 u2 u3 y b x v u9 m"),
        ("f <~ u1 + u2; g =~ y1 + y2; g ~ f + z; h =~ g + k; k =~ k1+k2", "y1 y2 k1 k2 u1 u2 z"),
        ("u9 | t1; f =~ u1 + u2; m ~1; p ~~ q", "u1 u2 p q u9 m"),
        ("g =~ a + b; a =~ a1 + a2; b =~ b1 + b2; f =~ 0; g ~ f + z; u ~ v; z ~ u", "a1 a2 b1 b2 u z v"),
        ("f =~ y1; x ~ y1; y1 ~ z; z ~ w; w ~ x", "y1 x z w"),
    ],
)
def test_observed_variables_stand_in_lavaans_order(text, order):
    """Expected: lavNames(lavaanify(text), "ov") of lavaan 0.6-14 in R 4.2.2."""
    model = Model.parse(text)
    # lavaan also lists a phantom of no items nowhere, and so do we
    assert " ".join(model.observed) == order
