"""How long 100,000 comments take: `python tests/bench/comments.py` prints seconds of processor."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

import csi

SAID = (
    "不便宜但是值得，客服很热情", "没有问题", "再也不会买了", "超出预期，很惊喜", "服务不好",
    "理赔很快，客服态度非常好，很满意",
    "Not good at all, still waiting for my claim", "The staff were very kind though slow", "和宣传不符，价格太贵",
)  # fmt: skip
TERMS = {k: [k] for k in ("客服", "理赔", "价格", "服务", "staff", "claim")}


def main(n=100_000):
    rng = np.random.default_rng(1)
    texts = [f"{SAID[a]} {SAID[b]} {i}" for i, (a, b) in enumerate(rng.integers(0, len(SAID), (n, 2)))]
    frame = pl.DataFrame(
        {"id": [str(i % 40_000) for i in range(n)], "text": texts, "wave": [f"w{i % 4}" for i in range(n)]}
    )
    start = time.process_time()
    found = csi.comments(frame, lexicon=TERMS, by=["wave"])
    print(f"{n} comments, {found.table.height} themes by wave: {time.process_time() - start:.1f} s")


if __name__ == "__main__":
    main()
