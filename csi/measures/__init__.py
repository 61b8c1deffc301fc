"""Judging an estimate: reliability, validity, effects. One measure, one place: a formula on stacked arrays and a thin
function on `Estimate`.
"""

from csi.measures.effects import Effects, effects
from csi.measures.reliability import Reliability, reliability
from csi.measures.validity import Validity, validity

__all__ = ["Effects", "Reliability", "Validity", "effects", "reliability", "validity"]
