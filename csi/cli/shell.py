"""From words typed to an exit code: find the verb, run it, print its answer, and never show a traceback."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from itertools import zip_longest
from typing import NoReturn, TextIO

from csi.cli.answer import FINE, INADMISSIBLE, PROBLEMS, STOPPED, UNEXPECTED, USAGE, Answer
from csi.cli.helped import in_chinese
from csi.cli.output import as_entry, as_json, as_text, plain, say_problems
from csi.cli.verbs import VERBS
from csi.errors import CsiError, Language, MissingPackage, NotConverged, Problem, Problems, Text, did_you_mean, problem

USAGE_TEXT = {
    "en": "usage: csi VERB [STUDY] [options]      csi VERB --help says more\n",
    "zh": "用法：csi 命令 [研究文件] [选项]      csi 命令 --help 查看详情\n",
}
CODES_TEXT = {
    "en": "Exit codes: 0 fine, 1 problems found, 2 usage, 3 not converged or inadmissible.",
    "zh": "退出码：0 正常；1 发现问题；2 用法有误；3 未收敛或解不可用。",
}


ARGPARSE_ZH = {
    "the following arguments are required: ": "缺少参数：",
    "unrecognized arguments: ": "无法识别的参数：",
    "expected one argument": "需要一个值",
    "invalid choice: ": "不可用的取值：",
    "invalid int value: ": "应为整数：",
    "invalid float value: ": "应为数值：",
    "choose from ": "可选：",
    "a study names its own data; DATA goes with a model text": "研究文件已写明数据；DATA 只与模型文本同用",
    "the model text is empty": "模型文本为空",
    "not for a study: ": "不适用于研究文件：",
    "not for a model text: ": "不适用于模型文本：",
    "expected 0 or at least 100 resamples, not ": "重抽样次数应为 0 或不少于 100，而不是 ",
    "codes are numbers, not ": "缺失代码应为数字，而不是 ",
    "argument ": "参数 ",
}


class UsageError(Exception):
    """What was typed cannot be a command; the message is the problem's sentence, `remedy` what to type instead."""

    def __init__(self, message: str, remedy: Text | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


class Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with argparse's sentence."""
        raise UsageError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Example:
        >>> main(["models", "--quiet"])
        0
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        gc.set_threshold(*RARELY)
    _never_choke_on_characters()
    with warnings.catch_warnings():
        if not _debugging():
            warnings.simplefilter("ignore")
        try:
            return _run(words)
        except BrokenPipeError:
            _forget_the_pipe()
            return FINE
        except KeyboardInterrupt:
            return _fail(words, STOPPED, [problem("E-STOPPED", "", "stopped.", "已停止。")])


RARELY = (100_000, 20, 20)
"""How seldom a command, which is one short run, looks for cycles of garbage: each time it walks over all there is."""


def language(words: Sequence[str]) -> Language:
    """The language of messages before a study is read: `--lang`, else the study file's, else the machine's.

    Example:
        >>> language(["report", "study.yaml", "--lang", "zh,en"])
        'zh'
    """
    last = ""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        last = word.removeprefix("--lang=") if word.startswith("--lang=") else following if word == "--lang" else last
    if last:
        return "zh" if last.startswith("zh") else "en"
    return _language_of_study(words) or _language_of_machine()


def _language_of_study(words: Sequence[str]) -> Language | None:
    """The line `language:` of the first YAML file named, read without parsing."""
    for word in words:
        if word.endswith((".yaml", ".yml")):
            with contextlib.suppress(OSError), open(word, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib costs start-up time
                for line in file:
                    key, _, value = line.partition(":")
                    if key.strip() == "language":
                        return "zh" if value.strip().strip("\"'").startswith("zh") else "en"
    return None


def _language_of_machine() -> Language:
    """By the usual variables of the environment."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return "zh" if os.environ[name].startswith("zh") else "en"
    return "en"


def _run(words: list[str]) -> int:
    """Help, version, or one verb; every exception becomes one line and a code."""
    lang = language(words)
    verb = words[0] if words else "--help"
    if verb in ("-h", "--help", "help"):
        print(overview(lang))
        return FINE if words else USAGE
    if verb in ("-V", "--version"):
        from csi import __version__  # the package's own name, kept out of module level so that cli stays a leaf

        print(f"csi {__version__}")
        return FINE
    if verb not in VERBS:
        hint = did_you_mean(verb, VERBS)
        found = problem("E-VERB", "csi", f'there is no verb "{verb}".', f"没有“{verb}”这个命令。", hint.en, hint.zh)
        return _fail(words, USAGE, [found])
    try:
        answer, args = _ask(verb, words[1:], lang)
    except SystemExit:  # argparse has printed the verb's help
        return FINE
    except Exception as error:  # the promise of this module: no traceback, whatever happened
        if isinstance(error, BrokenPipeError):
            raise
        return _fail(words, *_bad_news(error, verb))
    return _deliver(answer, args, verb, lang)


def overview(lang: Language) -> str:
    """What `csi --help` prints."""
    table = "\n".join(f"  {name:<12}{text.say(lang)}" for name, text in VERBS.items())
    return f"{USAGE_TEXT[lang]}\n{table}\n\n{CODES_TEXT[lang]}"


def _ask(verb: str, words: list[str], lang: Language) -> tuple[Answer, argparse.Namespace]:
    """Parse the verb's own arguments and run it."""
    parser = parser_of(verb, lang)
    if lang == "zh" and not {"-h", "--help"}.isdisjoint(words):
        in_chinese(parser, VERBS[verb])
    args, left = parser.parse_known_intermixed_args(words)
    if left:
        hint = did_you_mean(left[0], [o for a in parser._actions for o in a.option_strings])  # noqa: SLF001 - argparse offers no other list
        if "-" not in left[0][:1]:
            do = f"Write csi {verb} {left[0]}."
            one = not any(a.nargs == "?" and not a.option_strings for a in parser._actions)  # noqa: SLF001 - as above
            hint = hint if one else Text(do, f"请写 csi {verb} {left[0]}。")
        raise UsageError(f"unrecognized arguments: {left[0]}", hint)
    args.languages = languages(args.lang)
    args.quiet = args.quiet or args.json
    answer: Answer = importlib.import_module(f"csi.cli.{verb}").run(args, lang)
    return answer, args


def parser_of(verb: str, lang: Language) -> Parser:
    """The parser of a verb: its own arguments and those that every verb takes; what they say is English.

    Example:
        >>> parser_of("explain", "en").parse_args(["htmt", "--json"]).word
        'htmt'
    """
    module = importlib.import_module(f"csi.cli.{verb}")
    parser = Parser(prog=f"csi {verb}", description=VERBS[verb].say(lang), allow_abbrev=False)
    module.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object in full precision, for machines")
    parser.add_argument("--lang", type=_known_languages, help="zh or en (report: zh,en for both)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but problems")
    parser.add_argument("--record", metavar="PATH", help="write what was done and what came of it, as JSON")
    return parser


def _known_languages(asked: str) -> str:
    """What was typed after `--lang`, every time it was typed."""
    languages(asked)
    return asked


def languages(asked: str | None) -> tuple[Language, ...]:
    """The languages named by `--lang`, in order; empty when it was not given.

    Example:
        >>> languages("zh,en")
        ('zh', 'en')
    """
    names = [n.strip() for n in (asked or "").replace("，", ",").split(",") if n.strip()]
    unknown = [n for n in names if n not in ("zh", "en")]
    if unknown:
        raise UsageError(f'--lang knows "zh" and "en", not "{unknown[0]}"')
    return tuple(dict.fromkeys("zh" if n == "zh" else "en" for n in names))


def _deliver(answer: Answer, args: argparse.Namespace, verb: str, lang: Language) -> int:
    """Print the answer, write its record, return its code."""
    if args.record:
        body = plain({"verb": verb, **(answer.record or answer.data), "notes": answer.notes})
        try:
            with open(args.record, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs start-up time
                file.write(json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        except OSError as error:
            return _fail_in(lang, as_object=args.json, code=PROBLEMS, problems=[_of_os(error)])
    if args.json:
        print(as_json(answer, verb, lang))
        return answer.code
    if not args.quiet and (answer.blocks or answer.notes):
        print(as_text(answer, lang))
    say_problems(answer.problems, lang)
    return answer.code


def _bad_news(error: Exception, verb: str) -> tuple[int, list[Problem]]:
    """The exit code and the problems that an exception stands for."""
    if _debugging() and not isinstance(error, CsiError | UsageError):
        raise error
    if isinstance(error, UsageError):
        return USAGE, [_of_usage(error, verb)]
    if isinstance(error, Problems):
        return PROBLEMS, list(error.problems)
    if isinstance(error, NotConverged):
        return INADMISSIBLE, [problem("E-CONVERGE", "", str(error), str(error))]
    if isinstance(error, MissingPackage):
        return PROBLEMS, [problem("E-PACKAGE", "", str(error), str(error))]
    if isinstance(error, OSError):
        return PROBLEMS, [_of_os(error)]
    kind = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    do, do_zh = (
        "Please report it with the output of CSI_DEBUG=1.",
        "请设置 CSI_DEBUG=1 重新运行，并附上输出反馈给我们。",
    )
    return UNEXPECTED, [problem("E-UNEXPECTED", "", f"unexpected: {kind}.", f"意外错误：{kind}。", do, do_zh)]


def _of_usage(error: UsageError, verb: str) -> Problem:
    """What argparse could not read, in both languages."""
    said = str(error)
    zh = said
    for en, translated in ARGPARSE_ZH.items():
        zh = zh.replace(en, translated)
    do = error.remedy or Text(f"See csi {verb} --help.", f"见 csi {verb} --help。")
    return Problem("E-USAGE", f"csi {verb}", Text(f"{said}.", f"{zh}。"), do)


def _of_os(error: OSError) -> Problem:
    """What the operating system refused, as a problem."""
    where = str(error.filename or "")
    known = {
        FileNotFoundError: ("no such file or folder.", "文件或文件夹不存在。", "Check the path.", "请检查路径。"),
        PermissionError: (
            "no permission.",
            "没有权限。",
            "Choose another place or ask for access.",
            "请换一个位置或申请权限。",
        ),
        IsADirectoryError: (
            "is a folder; a file was expected.",
            "是文件夹，应为文件。",
            "Name a file.",
            "请指定文件。",
        ),
        NotADirectoryError: (
            "is a file; a folder was expected.",
            "是文件，应为文件夹。",
            "Name a folder.",
            "请指定文件夹。",
        ),
        FileExistsError: ("exists already.", "已存在。", "Choose another name.", "请换一个名称。"),
    }
    for kind, words in known.items():
        if isinstance(error, kind):
            return problem("E-FILE", where, *words)
    said = error.strerror or str(error)
    return problem("E-FILE", where, f"{said}.", f"{said}。", "Check the disk and the path.", "请检查磁盘与路径。")


def _fail(words: Sequence[str], code: int, problems: list[Problem]) -> int:
    """Say `problems` in the language of what was typed; as one JSON object when `--json` was asked for."""
    return _fail_in(language(words), as_object="--json" in words, code=code, problems=problems)


def _fail_in(lang: Language, *, as_object: bool, code: int, problems: list[Problem]) -> int:
    """Print problems and return `code`."""
    if as_object:
        body = {"exit": code, "problems": [as_entry(p, lang) for p in problems]}
        print(json.dumps(body, ensure_ascii=False))
    else:
        say_problems(problems, lang)
    return code


def _debugging() -> bool:
    """True when CSI_DEBUG=1 asks for tracebacks."""
    return os.environ.get("CSI_DEBUG", "") not in ("", "0")


def _never_choke_on_characters() -> None:
    """A terminal that cannot draw a character gets a replacement instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


def _forget_the_pipe() -> None:
    """Whoever read our output has gone; let nothing complain at exit."""
    quiet: TextIO = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - stays open until the process ends
    with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
        os.dup2(quiet.fileno(), sys.stdout.fileno())
