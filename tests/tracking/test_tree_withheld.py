"""Secondary suppression: what a tree shows never gives away a number of too few answers."""

import numpy as np
import polars as pl
import pytest

import csi

from .test_tree import NATION, REVENUE, TWO, by_period, index_of, value

SMALL = 20
STRUCTURES = (
    {
        "nation": {
            "goods": {"cars": ["A", "B"], "food": ["C", "D", "E"]},
            "services": {"banks": ["F", "G"], "air": ["H"]},
        }
    },
    {"nation": {"cars": ["A", "B", "C", "D"], "banks": ["E", "F", "G", "H"]}},
    {
        "nation": {
            "goods": ["A", "B", "C"],
            "one": {"only": {"alone": ["D"]}},
            "rest": {"x": ["E", "F"], "y": ["G", "H"]},
        }
    },
)
WAVES = ("1", "2", "3", "4")


class Attack:
    """Everybody's knowledge: the structure, the weights, and every number that is printed."""

    def __init__(self, tree, weights, n):
        self.seen = {w: {b for b, wave in n if wave == w} for w in WAVES}
        nodes, self.n = tree.structure, {}
        self.leaves = [nodes.names[i] for i in nodes.leaves]
        self.weights = {(e, p): w for e, p, w in weights.iter_rows()}
        self.below = {name: [nodes.names[c] for c in nodes.children(i)] for i, name in enumerate(nodes.names)}
        self.place = {(w, leaf): k for k, (w, leaf) in enumerate((w, x) for w in WAVES for x in self.leaves)}
        self.tree, self.known = tree, []

    def weight(self, name, wave):
        below = self.below[name]
        return sum(self.weight(b, wave) for b in below) if below else self.weights[name, wave]

    def row(self, name, wave, there, of=None):
        """A node in a wave (at the weights of another one) over the leaves that are there."""
        if not self.below[name]:
            out = np.zeros(len(self.place))
            out[self.source(name, wave)] = 1.0
            return out if name in there else None
        parts = [(self.weight(b, of or wave), self.row(b, wave, there, of)) for b in self.below[name]]
        parts = [(w, r) for w, r in parts if r is not None]
        return sum(w * r for w, r in parts) / sum(w for w, _ in parts) if parts else None

    def source(self, name, wave):
        """The wave in which the value of a leaf was last seen."""
        upto = WAVES[: WAVES.index(wave) + 1]
        return self.place[next((w for w in reversed(upto) if name in self.seen[w]), wave), name]

    def key(self, name, wave):
        """The wave and the leaf whose answers are behind a value."""
        return next(key for key, k in self.place.items() if k == self.source(name, wave))

    def there(self, wave):
        """Leaves with a value: seen, or carried from a wave before."""
        upto = WAVES[: WAVES.index(wave) + 1] if self.tree.missing == "carry" else [wave]
        return [x for x in self.leaves if any(x in self.seen[w] for w in upto)]

    def gather(self):
        """Rows that are known: nodes, groups, comparisons at later weights, links of the chain."""
        there = {w: self.there(w) for w in WAVES}
        for r in self.tree.table.iter_rows(named=True):
            if r["node"] != self.tree.others and r["index"] is not None:
                self.known.append(self.row(r["node"], r["wave"], there[r["wave"]]))
        for r in self.tree.changes.iter_rows(named=True):
            both = [x for x in there[r["wave"]] if x in there[r["reference"]]]
            if r["like_for_like"] is not None:
                now, then = (self.row(r["node"], w, both, r["wave"]) for w in (r["wave"], r["reference"]))
                self.known.append(now - then)
        chain = {(r["node"], r["wave"]): r.get("rebased") for r in self.tree.table.iter_rows(named=True)}
        for (node, wave), now in chain.items():
            k = WAVES.index(wave)
            before = chain.get((node, WAVES[k - 1])) if k else None
            if node != self.tree.others and now and before:
                both = [x for x in there[wave] if x in there[WAVES[k - 1]]]
                top, bottom = (self.row(node, w, both, wave) for w in (wave, WAVES[k - 1]))
                self.known.append(top - now / before * bottom)

    def finds(self, row):
        A = np.array(self.known).T
        fit = np.linalg.lstsq(A, row, rcond=1e-10)[0]
        return np.abs(A @ fit - row).max() < 1e-7


def drawn(seed, structure, *, varying, missing="renormalise"):
    rng = np.random.default_rng(seed)
    leaves = list("ABCDEFGH")
    means = {(b, w): rng.uniform(40, 80) for w in WAVES for b in leaves if rng.uniform() > 0.1}
    n = {key: int(rng.choice([8, 12, 40, 60], p=[0.15, 0.15, 0.4, 0.3])) for key in means}
    share = {b: rng.uniform(1, 4) for b in leaves}
    rows = [(b, w, share[b] * (rng.uniform(0.8, 1.2) if varying else 1.0)) for b in leaves for w in WAVES]
    weights = pl.DataFrame(rows, schema=["entity", "period", "weight"], orient="row")
    index = index_of(means, n)
    tree = csi.tree(
        index,
        structure,
        weights,
        "joy",
        small=SMALL,
        base="2",
        per_year=3,
        waves=WAVES,
        brands=tuple(leaves),
        missing=missing,
    )
    return tree, weights, n


@pytest.mark.parametrize("missing", ["renormalise", "carry"])
@pytest.mark.parametrize("varying", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_small_can_be_worked_out(seed, structure, varying, missing):
    tree, weights, n = drawn(seed, structure, varying=varying, missing=missing)
    attack = Attack(tree, weights, n)
    attack.gather()
    small = [(b, w) for (b, w), size in n.items() if size < SMALL]
    assert small
    for brand, wave in small:
        row = np.zeros(len(attack.place))
        row[attack.place[wave, brand]] = 1.0
        assert value(tree, brand, wave) is None
        assert not attack.finds(row), (brand, wave)
    for parent in [p for p, below in attack.below.items() if below]:
        for wave in WAVES:
            there = [x for x in _leaves(attack, parent) if x in attack.there(wave)]
            size = [n[x, at] for at, x in (attack.key(x, wave) for x in there)]
            if size and sum(size) < SMALL:
                assert not attack.finds(attack.row(parent, wave, there)), (parent, wave)
    plain = tree.table.filter(pl.col("index").is_not_null() & (pl.col("node") != tree.others))
    assert plain.height > 20  # it does not hide everything


def _leaves(attack, name):
    return [name] if not attack.below[name] else [x for b in attack.below[name] for x in _leaves(attack, b)]


def test_the_attack_works_where_nothing_is_withheld():
    _, weights, n = drawn(1, STRUCTURES[1], varying=False)
    open_ = csi.tree(index_of(dict.fromkeys(n, 50.0), n), STRUCTURES[1], weights, "joy", small=0, waves=WAVES)
    attack = Attack(open_, weights, n)
    attack.gather()
    hidden = next((b, w) for (b, w), size in n.items() if size < SMALL)
    row = np.zeros(len(attack.place))
    row[attack.place[hidden[1], hidden[0]]] = 1.0
    attack.known = [r for r in attack.known if not np.allclose(r, row)]  # only the leaf itself is left out
    assert attack.finds(row)


ONE_SMALL = {(b, w): 12 if (b, w) == ("B", "2024Q1") else 40 for b, w in TWO}
FIVE = {"all": ["A", "B", "C", "D", "E"]}


def test_one_small_company_takes_the_next_smallest_with_it():
    n = {**ONE_SMALL, ("D", "2024Q1"): 35}
    tree = csi.tree(index_of(TWO, n), FIVE, REVENUE, "joy", small=30)
    flags = {b: value(tree, b, "2024Q1", "flag") for b in "ABCDE"}
    assert flags == {"A": None, "B": "suppressed", "C": None, "D": "withheld", "E": None}
    reasons = [value(tree, "D", "2024Q1", c) for c in ("reason", "reason_zh")]
    assert reasons[0] == "withheld: it would give away a number of fewer than 30 answers."
    assert reasons[1] == "不予发布：否则可推算出样本量不足 30 的数值。"
    audit = tree.audit.filter(pl.col("wave") == "2024Q1")
    assert audit["child"].to_list() == ["A", "C", "E", "All others"]
    together = audit.row(3, named=True)
    assert together["contribution"] == pytest.approx((10 * 60 + 25 * 65) / 100)
    assert audit["contribution"].sum() == pytest.approx(audit["parent_index"][0], abs=1e-10)
    assert tree.audit.filter(pl.col("wave") == "2024Q2")["child"].to_list() == list("ABCDE")
    assert value(tree, "all", "2024Q1") is not None
    assert any(n.code == "N-TREE-WITHHELD" and "answers: 1;" in n.say() for n in tree.notes)


def test_two_companies_are_told_with_others_only_where_these_are_enough():
    tree = csi.tree(index_of(TWO, {**ONE_SMALL, ("A", "2024Q1"): 13}), {"cars": ["A", "B"], "food": ["C", "D"]},
                    {k: v for k, v in REVENUE.items() if k != "E"}, "joy", small=30)  # fmt: skip
    assert [value(tree, b, "2024Q1", "flag") for b in ("A", "B", "cars")] == ["suppressed"] * 3
    assert value(tree, "food", "2024Q1") is not None
    assert tree.audit.filter((pl.col("parent") == "cars") & (pl.col("wave") == "2024Q1")).is_empty()
    moved = tree.changes.filter((pl.col("node") == "cars") & (pl.col("against") == "previous")).row(0, named=True)
    assert (moved["change"], moved["reason_zh"]) == (None, "其中一期不予发布。")


def test_a_parent_that_is_withheld_hides_a_branch_of_its_sibling():
    tree = csi.tree(index_of(TWO, ONE_SMALL), {"nation": {"one": ["B"], "two": ["A", "C"], "three": ["D", "E"]}},
                    REVENUE, "joy", small=30)  # fmt: skip
    hidden = tree.table.filter((pl.col("wave") == "2024Q1") & pl.col("index").is_null())
    assert set(hidden["node"]) == {"one", "B", "two", "A"} or set(hidden["node"]) == {"one", "B", "three", "D"}
    together = tree.table.filter((pl.col("node") == "All others") & (pl.col("parent") == "nation"))
    assert together["leaves"].to_list() == [3]
    assert value(tree, "nation", "2024Q1") is not None


def test_a_value_carried_from_a_hidden_one_is_hidden():
    gone = {k: v for k, v in TWO.items() if k != ("B", "2024Q2")}
    n = {k: v for k, v in ONE_SMALL.items() if k in gone}
    tree = csi.tree(index_of(gone, n), FIVE, REVENUE, "joy", missing="carry", small=30)
    assert value(tree, "B", "2024Q2") is None
    assert value(tree, "B", "2024Q2", "flag") == "suppressed"
    assert tree.table.filter((pl.col("wave") == "2024Q2") & (pl.col("flag") == "withheld")).height == 1


def test_new_weights_do_not_give_away_what_old_ones_hide():
    weights = by_period({"2024Q1": REVENUE, "2024Q2": {**REVENUE, "B": 30.0}})
    index = index_of(TWO, ONE_SMALL)
    tree = csi.tree(index, NATION, weights, "joy", small=30, base="2024Q2")
    same = csi.tree(index, NATION, REVENUE, "joy", small=30, base="2024Q2")
    moved, kept = (
        t.changes.filter((pl.col("node") == "cars") & (pl.col("against") == "previous")).row(0, named=True)
        for t in (tree, same)
    )
    # both companies of cars are hidden in the first wave; at the weights of the second they would be a second equation
    assert kept["like_for_like"] == pytest.approx(1.0)
    assert (moved["like_for_like"], moved["composition"]) == (None, None)
    assert moved["change"] is not None
    assert value(tree, "cars", "2024Q1", "rebased") is None
    assert value(same, "cars", "2024Q1", "rebased") is not None
