"""The pictures of a report: plain functions from a tidy frame to an SVG string, one picture per language.

Every function takes `lang` ("zh" or "en"), `labels` {name: Text} for the names in the frame (a name without a label
prints itself), `finding`, the sentence read aloud (`aria-label`), and `width`: 1040 full, 508 half, 360 phone.

    trend              brand, wave, index, conf_low, conf_high
    control_chart      wave, statistic, centre, low, high, beyond
    waterfall          name, kind (level or step), value, low, high, sure
    league             brand, index, conf_low, conf_high, n
    path_diagram       predictor, outcome, estimate, conf_low, conf_high, significant; and construct, index, r2
    model_diagram      a model without estimates; card_diagram: a card of the library
    importance_map     name, importance, importance_low, importance_high, performance, performance_low, performance_high
    index_chain        construct, index, conf_low, conf_high, sector, change, significant
    reliability_table  construct, loadings (list), alpha, rho_a, rho_c, ave, htmt_max
    item_table         construct, item, wording, shares (list), loading, conf_low, conf_high, mean, missing
    htmt_matrix        first, second, htmt, conf_low, conf_high
    heat_table         row, column, value, reference, n
    forest             heading, row, value_KEY of each series, conf_low, conf_high, significant, differs
    ceilings           a column per construct; and the ceiling of each condition
    slope_lines        outcome, predictor, moderator, at, estimate; and the slope along the moderator
    gauges             name, value, low, high, limits, good, verdict
    pairs              heading, row, against, perceived, number, upper, sure
    kano_map           attribute, cs_plus, cs_minus and their bounds, sure
    parts              heading, row, low, middle, high (shares of a whole)
    answers            answer (0 to 10), share
    counts             x, actual, modelled: customers by repeat purchases
    loyalty_map        type, attitude, patronage, share, conf_low, conf_high, count
    touchpoint_map     touchpoint, reach, reach_low, reach_high, mean, conf_low, conf_high
    curve              satisfaction, fitted, conf_low, conf_high; and bands with their means
    moves              origin, goal, share, conf_low, conf_high, n
    staying            time, survival, conf_low, conf_high by group; and how many are still watched
    event_study        k (periods since an event), difference, conf_low, conf_high
    scree              number, eigenvalue, random
    factor_heat        construct, item, wording, factor, loading, intended
    residual_heat      first, second, residual
    panels             panel, series, x, y
    contour            a response surface (`Seen`)
    loading_cell       loadings of one construct, for a table cell
"""

from csi.reporting.figures.answers import answers
from csi.reporting.figures.ceilings import ceilings
from csi.reporting.figures.cells import loading_cell
from csi.reporting.figures.chain import index_chain
from csi.reporting.figures.contour import Seen, contour
from csi.reporting.figures.control import control_chart
from csi.reporting.figures.counts import counts
from csi.reporting.figures.curve import curve
from csi.reporting.figures.diagram import card_diagram, model_diagram, path_diagram
from csi.reporting.figures.event_study import event_study
from csi.reporting.figures.factor_heat import factor_heat
from csi.reporting.figures.forest import forest
from csi.reporting.figures.gauges import gauges
from csi.reporting.figures.heat import heat_table, htmt_matrix
from csi.reporting.figures.importance import importance_map
from csi.reporting.figures.items import item_table
from csi.reporting.figures.kano_map import kano_map
from csi.reporting.figures.league import league
from csi.reporting.figures.loyalty_map import loyalty_map
from csi.reporting.figures.moves import moves
from csi.reporting.figures.pairs import Words, pairs
from csi.reporting.figures.panels import panels
from csi.reporting.figures.parts import parts
from csi.reporting.figures.reliability import reliability_table
from csi.reporting.figures.residual_heat import residual_heat
from csi.reporting.figures.scree import scree
from csi.reporting.figures.slopes import slope_lines
from csi.reporting.figures.staying import staying
from csi.reporting.figures.touchpoints import touchpoint_map
from csi.reporting.figures.trend import trend
from csi.reporting.figures.waterfall import waterfall

__all__ = [
    "Seen",
    "Words",
    "answers",
    "card_diagram",
    "ceilings",
    "contour",
    "control_chart",
    "counts",
    "curve",
    "event_study",
    "factor_heat",
    "forest",
    "gauges",
    "heat_table",
    "htmt_matrix",
    "importance_map",
    "index_chain",
    "item_table",
    "kano_map",
    "league",
    "loading_cell",
    "loyalty_map",
    "model_diagram",
    "moves",
    "pairs",
    "panels",
    "parts",
    "path_diagram",
    "reliability_table",
    "residual_heat",
    "scree",
    "slope_lines",
    "staying",
    "touchpoint_map",
    "trend",
    "waterfall",
]
