"""`python -m csi` is `csi`."""

from __future__ import annotations

import sys

from csi.cli import main

if __name__ == "__main__":
    sys.exit(main())
