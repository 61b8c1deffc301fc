from typing import TypeAlias

from csi.moments.stack import Array, Ints

GroupArrays: TypeAlias = tuple[
    int, int, int, Ints, Ints, Ints, Ints, Ints, Ints, Array, Array, Array, Array, Array, Array | None
]

def evaluate(
    b: int,
    r: int,
    groups: tuple[GroupArrays, ...],
    share: Array,
    total: Array,
    means: bool,
    exact: bool,
    phi: Array,
    value: Array,
    slope: Array,
    hessian: Array,
    /,
) -> None: ...
def minimise(
    b: int,
    r: int,
    groups: tuple[GroupArrays, ...],
    share: Array,
    total: Array,
    means: bool,
    rules: tuple[float, float, float, float, float, int],
    expected: bool,
    phi: Array,
    value: Array,
    slope: Array,
    hessian: Array,
    iterations: Ints,
    settled: Ints,
    drop: Array,
    /,
) -> None: ...
def start(
    b: int, p: int, n: int, t: int, plan: Ints, numbers: Array, cov: Array, mean: Array, values: Array, /
) -> None: ...
def invert(b: int, n: int, stack: Array, out: Array, /) -> int: ...
def residuals(
    b: int,
    p: int,
    cov: Array,
    mean: Array,
    Sigma: Array,
    mu: Array,
    given: Ints,
    means: bool,
    sums: Array,
    parts: Array,
    /,
) -> int: ...
def indices(
    b: int,
    p: int,
    cov: Array,
    mean: Array,
    Sigma: Array,
    mu: Array,
    given: Ints,
    means: bool,
    counts: tuple[float, float, float, float, float, float],
    numbers: Array,
    out: Array,
    /,
) -> int: ...
def definite(b: int, n: int, stack: Array, logdet: Array, sound: Ints, /) -> None: ...
def imply(
    b: int,
    r: int,
    groups: tuple[GroupArrays, ...],
    share: Array,
    total: Array,
    means: bool,
    theta: Array,
    outs: tuple[tuple[Array, ...], ...],
    /,
) -> None: ...
