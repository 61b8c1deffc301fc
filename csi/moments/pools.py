"""Executors that parts of the work can be given to."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor

from csi.errors import Language, Problems, problem


def check_executor(executor: Executor | None, lang: Language = "en") -> None:
    """Raise for a pool whose processes are forks of this one: polars' threads do not live on in a fork, which waits
    for them for ever.

    Raises:
        Problems: E-FORK.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> check_executor(ThreadPoolExecutor(1))
    """
    if not isinstance(executor, ProcessPoolExecutor):
        return
    context = getattr(executor, "_mp_context", None)
    if context is None or context.get_start_method() != "fork":
        return
    en = "processes of this pool are forks of this one, in which polars would wait for ever for threads it has lost."
    zh = "此进程池以 fork 方式启动，子进程中 polars 的线程已不存在，会一直等待。"
    do = 'Write ProcessPoolExecutor(..., mp_context=multiprocessing.get_context("spawn")) (or "forkserver"), under'
    do += ' if __name__ == "__main__":.'
    do_zh = '请写 ProcessPoolExecutor(..., mp_context=multiprocessing.get_context("spawn"))（或 "forkserver"），并置于'
    do_zh += ' if __name__ == "__main__": 之下。'
    raise Problems([problem("E-FORK", "executor", en, zh, do, do_zh)], lang)
