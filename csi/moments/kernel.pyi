from csi.moments.stack import Array, Ints

def arrange(
    n: int, p: int, stream: object, names: tuple[str, ...], rows: Array, order: Ints, ends: Array, /
) -> bool: ...
def definite(b: int, k: int, A: Array, found: Ints, /) -> None: ...
def gather(
    b: int,
    J: int,
    p: int,
    rows: int,
    starts: Ints,
    order: Ints,
    answers: Array,
    W: Array,
    n: Array,
    mean: Array,
    cov: Array,
    /,
) -> None: ...
def htmt(b: int, p: int, q: int, cov: Array, owner: Ints, signed: bool, found: Array, /) -> None: ...
def settle(
    b: int,
    J: int,
    p: int,
    observed: Ints,
    n: Array,
    mean: Array,
    cov: Array,
    tolerance: float,
    rounds: int,
    mu: Array,
    Sigma: Array,
    value: Array,
    iterations: Ints,
    settled: Ints,
    /,
) -> None: ...
def solve(b: int, k: int, m: int, A: Array, X: Array, definite: bool, /) -> None: ...
def total(b: int, q: int, paths: Array, found: Array, /) -> bool: ...
def weigh(n: int, p: int, rows: Array, w: Array, sums: Array, mean: Array, cov: Array, /) -> bool: ...
