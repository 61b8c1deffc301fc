"""Runs a notebook in its own process: `python -m csi.reporting.runner FOLDER < book.json > executed.json`.

A process of its own keeps the page's work and the kernel's apart, and lets this one skip `rfc3987_syntax`: jsonschema
would load it to judge web addresses, which takes longer than everything else here, and notebooks need none.
"""

from __future__ import annotations

import json
import sys
from typing import Any

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # None means "not installed" to the import system

import nbclient  # noqa: E402 - after the line above, which it heeds
import nbformat  # noqa: E402 - same
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: E402 - same
from jupyter_client.manager import AsyncKernelManager  # noqa: E402 - same

FAILED = 3
"""Exit code when a cell failed; standard output then holds `{"name", "value"}` of the error."""


class ThisInterpreter(KernelSpecManager):
    """Finds no kernel but the interpreter that runs us, whatever is installed for the user."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The specification of `kernel_name`."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "--log-level=ERROR", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language="python")


def run(book: dict[str, Any], folder: str, timeout: float = 300) -> dict[str, Any]:
    """Run every cell in `folder`, `timeout` seconds each at most; no timings are recorded.

    Raises:
        CellExecutionError: a cell failed.
    """
    node = nbformat.from_dict(book)  # type: ignore[no-untyped-call]  # nbformat is not annotated
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisInterpreter())
    resources = {"metadata": {"path": folder}}
    client = nbclient.NotebookClient(node, km=manager, timeout=timeout, record_timing=False, resources=resources)
    client.execute()
    executed: dict[str, Any] = json.loads(json.dumps(node))
    return executed


def main(folder: str) -> int:
    """Read a notebook from standard input, write it back executed."""
    try:
        executed = run(json.load(sys.stdin), folder)
    except nbclient.exceptions.CellExecutionError as error:
        json.dump({"name": error.ename, "value": error.evalue}, sys.stdout)
        return FAILED
    json.dump(executed, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
