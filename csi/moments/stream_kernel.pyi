from csi.moments.stack import Array, Ints

def tally(
    n: int,
    cells: int,
    most: float,
    stream: object,
    names: tuple[str, ...],
    parameters: Array,
    codes: Array,
    ends: Ints,
    cell: Ints,
    weight: Array,
    counts: Ints,
    rounded: Array,
    limbs: Ints,
    /,
) -> bool: ...
