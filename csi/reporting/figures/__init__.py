"""The pictures of a report: plain functions from a tidy frame to an SVG string, one picture per language.

Every function takes `lang` ("zh" or "en"), `width` (1040 full, 508 half, 360 phone), `labels` {name: Text} for the names
in the frame (a name without a label prints itself) and `finding`, the sentence read aloud (`aria-label`).

    trend(frame, *, lang, labels, focal, finding, changes, mean, events, breaks, width)
        frame: brand, wave, index, conf_low, conf_high; waves in order of appearance
        changes: brand, change, significant; mean: wave, index; events: [(wave, Text)]; breaks: waves a line may not cross into
    league(frame, *, lang, labels, focal, finding, mean, same, width)
        frame: brand, index, conf_low, conf_high, n; mean: float; same: groups of brands that do not differ
    path_diagram(paths, nodes, *, lang, labels, layout, target, finding, width)
        paths: predictor, outcome, estimate, conf_low, conf_high, significant; nodes: construct, index, r2 (nulls allowed)
    model_diagram(model, *, lang, finding, width)
        the claim alone: a csi Model, no estimates
    card_diagram(card, *, lang, width)
        a card of the library, no estimates
    importance_map(frame, *, lang, labels, finding, target, width)
        frame: name, importance, importance_low, importance_high, performance, performance_low, performance_high
    index_chain(frame, *, lang, labels, focal, finding, width)
        frame: construct, index, conf_low, conf_high, sector, change, significant; in causal order
    reliability_table(frame, *, lang, labels, finding, width)
        frame: construct, loadings (list), alpha, rho_a, rho_c, ave, htmt_max
    item_table(frame, *, lang, labels, finding, scale, width)
        frame: construct, item, wording, shares (list of fractions), loading, conf_low, conf_high, mean, missing (fraction)
    htmt_matrix(frame, *, lang, labels, order, finding, width)
        frame: first, second, htmt, conf_low, conf_high (upper triangle or both)
    heat_table(frame, *, lang, labels, finding, focal, groups, small, width)
        frame: row, column, value, reference, n; groups: [(Text, (columns ...))]
    loading_cell(loadings, *, lang, width)
        one line of whisker for a table cell
"""

from csi.reporting.figures.cells import loading_cell
from csi.reporting.figures.chain import index_chain
from csi.reporting.figures.diagram import card_diagram, model_diagram, path_diagram
from csi.reporting.figures.heat import heat_table, htmt_matrix
from csi.reporting.figures.importance import importance_map
from csi.reporting.figures.items import item_table
from csi.reporting.figures.league import league
from csi.reporting.figures.reliability import reliability_table
from csi.reporting.figures.trend import trend

__all__ = [
    "card_diagram",
    "heat_table",
    "htmt_matrix",
    "importance_map",
    "index_chain",
    "item_table",
    "league",
    "loading_cell",
    "model_diagram",
    "path_diagram",
    "reliability_table",
    "trend",
]
