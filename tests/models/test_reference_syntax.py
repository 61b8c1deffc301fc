"""Every model text that the reference results were made with parses (thresholds aside, which are refused)."""

import json
import os
from pathlib import Path

import pytest

from csi.models.model import Model

FOLDER = Path(os.environ.get("CSI_REFERENCE_DIR", "")) / "reference"


def syntaxes(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "syntax" and isinstance(inner, str):
                yield inner
            else:
                yield from syntaxes(inner)


@pytest.mark.skipif("CSI_REFERENCE_DIR" not in os.environ, reason="set CSI_REFERENCE_DIR to the reference folder")
def test_every_reference_syntax_parses_and_round_trips():
    files = sorted(FOLDER.glob("cbsem_*.json")) + sorted(FOLDER.glob("ordinal_bfi*.json"))
    texts = {s for f in files for s in syntaxes(json.loads(f.read_text(encoding="utf-8")))}
    assert len(texts) >= 12
    for text in texts:
        model = Model.parse(text)
        assert Model.parse(str(model)) == model
