"""How often a release without any true change finds one: at most 5 % nominal, 6 % allowed."""

import numpy as np
import pytest

from csi.estimate.fit import fit
from csi.inference.bootstrap import bootstrap
from csi.pls.estimator import PLS
from csi.tracking.changes import changes
from csi.tracking.index import index

PANELS = 2000


@pytest.mark.slow
@pytest.mark.parametrize("overlap", [False, True])
def test_familywise_rate(model, survey, overlap):
    found, each = 0, []
    for seed in range(PANELS):
        frame = survey(n=100, brands=("A", "B", "C"), seed=1000 + seed, overlap=overlap, shift=0.0, trend=0.0)
        est = fit(model, frame, PLS(), by=["brand", "wave"], scale=(1, 10), unit="id")
        table = changes(index(bootstrap(est, n=200, seed=seed)), ["Use", "Joy"], per_year=2, wave="w3").table
        assert table["p_holm"].null_count() == 0
        found += bool(table["significant"].any())
        each += (table["p_value"] < 0.05).to_list()
    rate, single = found / PANELS, np.mean(each)
    print(f"familywise {rate:.3f}, single tests {single:.3f} ({PANELS} panels, overlap {overlap})")
    assert rate <= 0.06
    assert 0.04 < single < 0.065
