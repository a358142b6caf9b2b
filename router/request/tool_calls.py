"""What an agent's calls of tools do, and how they ended, by names, arguments and results. Pure.

Of a long argument or result only its beginning and its end are read.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from router.request.tool_names import EDITORS, PLANNERS, SEARCHES, SHELLS, TESTERS, WORKING, plain

Sort = Literal["edit", "search", "plan", "test", "shell", "other"]
Tests = Literal["", "failing", "passing"]


class Call(NamedTuple):
    """What a call does, and whether a shell does it."""

    sort: Sort
    shell: bool = False


_HEAD, _TAIL = 600, 1_200  # characters of a result that are read
_ARGUMENTS = 2_000  # characters of a call's arguments that are read
_TEST_COMMAND = re.compile(
    r"(?:^|[\s\"';&|(/])(?:py\.?test|nosetests|tox|nox|jest|vitest|mocha|rspec|phpunit|ctest|"
    r"gotestsum|ava|pest|unittest)\b|"
    r"\b(?:npm|pnpm|yarn|bun|deno|go|cargo|mix|dotnet|swift|make|gradle|gradlew|mvn|mvnw|rake|"
    r"flutter|dart|bazel|just|sbt|lein|stack|cabal|rails|composer|artisan|playwright|zig build|"
    r"nextest|manage\.py|hatch|uv run|poetry run)\s{1,3}"
    r"(?:run\s{1,3})?(?:-\S{1,20}\s{1,3}){0,3}(?:test|check|verify)",
    re.I,
)
_NO_TEST = re.compile(
    r"\"?(?:pip|pip3|uv|poetry|npm|yarn|pnpm|apt|apt-get|brew|conda)\s{1,3}"
    r"(?:pip\s{1,3})?(?:install|add)\b",
    re.I,
)
_SHELL_EDIT = re.compile(
    r"\bapply_patch\b|\*\*\* Begin Patch|\bsed\s{1,3}(?:-\w{1,4}\s{1,3}){0,2}-i|\bperl\s{1,3}-p?i|"
    r"\bgit\s{1,3}(?:apply|mv|rm|revert|checkout\s{1,3}--)\b|\bcat\s{0,3}>|\btee\s{1,3}\S|"
    r"(?:^|[\"';&|]\s{0,3})(?:sudo )?(?:mv|rm|cp)\s{1,3}\S|\s--(?:fix|write|in-place|inplace)\b|"
    r"\b(?:gofmt|rustfmt|isort|black)\s{1,3}[\w./-]|\b(?:cargo|go|ruff|dart)\s{1,3}(?:fmt|format)\b|"
    r"<<\s{0,2}\\?['\"]?EOF|\bwrite_text\(|\b(?:echo|printf)\b.{1,300}?>\s{0,3}[\w./]",
    re.I,
)
_SHELL_SEARCH = re.compile(
    r"^\W{0,4}(?:\w{1,12}\W{1,8}){0,2}?(?:\[?\W{0,3}(?:bash|sh|zsh)\W{1,6}-l?c\W{1,6})?"
    r"(?:cd\s{1,3}[^\s&;]{1,200}\s{0,3}(?:&&|;)\s{0,3})?"
    r"(?:grep|rg|ls|cat|find|head|tail|sed\s{1,3}-n|tree|wc|fd|nl|ag|less|pwd|"
    r"git\s{1,3}(?:log|show|diff|status|grep|blame|ls-files))\b",
    re.I,
)
_EXIT = re.compile(
    r"(?:\bexit(?:ed)?(?:\s{1,3}with)?(?:[\s_]{1,3}(?:code|status))?[\"']?\s{0,3}[:=]?\s{0,3}|"
    r"<(?:returncode|exit_code)>\s{0,3}|\breturn[\s_]?code[\"']?\s{0,3}[:=]?\s{0,3}|"
    r"\bexitcode[\"']?\s{0,3}[:=]\s{0,3}|\bstatus code[\s:]{1,3})(-?\d{1,5})\b",
    re.I,
)
_SAYS_ERROR = re.compile(
    r"\W{0,9}(?:<tool_use_error>|error\b|errors?:|[A-Za-z.]{1,40}(?:Error|Exception)\b|failed\b|"
    r"failure\b|fatal\b|traceback\b|permission denied|access denied|command not found|invalid\b|"
    r"cannot\b|can't\b|could not\b|couldn't\b|unable to\b|no such (?:file|tool)|unknown (?:tool|"
    r"command)|no match found|string to replace|old_string|old_str\b|file does not exist|"
    r"file has not been read|file not found|not found\b|timed out|timeout\b|command timed out|"
    r"request timed out|command failed|tool (?:call )?failed|the user doesn't want|no changes? "
    r"(?:made|to make)|no replacement was performed|did not match|patch (?:failed|does not)|"
    r"bash: |sh: |zsh: |/bin/\w{1,8}: |npm ERR!|HTTP (?:4|5)\d\d)",
    re.I,
)
_JSON_ERROR = re.compile(
    r"\"(?:error|err|errors)\"\s{0,3}:\s{0,3}(?!null|\"\"|false|\[\]|\{\}|0\b)|"
    r"\"(?:rc|code)\"\s{0,3}:\s{0,3}-?[1-9]|\"(?:is_?error)\"\s{0,3}:\s{0,3}true|\"(?:success|ok|succeeded)\"\s{0,3}:\s{0,3}false|"
    r"\"status\"\s{0,3}:\s{0,3}\"(?:error|failed|failure)\"",
    re.I,
)
_ENDS_IN_ERROR = re.compile(
    r"command not found|No such file or directory|Permission denied|^\w{0,40}(?:Error|Exception)"
    r"(?::|\b)|^Traceback \(most recent|^error(?:\[\w{1,9}\]|:| TS\d)|npm ERR!|BUILD FAIL|"
    r"^make: \*\*\*|^fatal:|Segmentation fault|panicked at|^E  ",
    re.M,
)
_FAILED = re.compile(
    r"\b[1-9]\d{0,5}\s{1,3}(?:tests?\s{1,3})?(?:failed|failing|fail|failures?|errors?)\b|"
    r"\b(?:failures?|failed|errors?)[:=]\s{0,3}[1-9]|"
    r"\btest result: FAILED|^\s{0,3}-{3} FAIL|^FAIL(?:ED)?\b|^not ok \d|\bTests? failed\b|"
    r"^FAILED \(|\bTests failed\b|✗|✕|\bERROR collecting",
    re.I | re.M,
)
_PASSED = re.compile(
    r"\b[1-9]\d{0,5}\s{1,3}(?:tests?\s{1,3})?(?:passed|passing|passes|pass|ok)\b|\ball\b.{0,20}"
    r"\btests?\b.{0,12}\bpass(?:ed|ing)?\b|\btest result: ok|^ok\b|^PASS\b|^OK\b|"
    r"\bTests:.{0,40}[1-9]\d{0,5} passed|\bpassed[:=]\s{0,3}[1-9]|\btests? pass(?:ed)?\b|"
    r"\b0 (?:failures|failed)\b|\bBUILD SUCCESS",
    re.I | re.M,
)


def offers_work(fields: Mapping[str, Any]) -> bool:
    """Whether a request offers tools with which an agent works on files or in a shell."""
    return any(plain(name) in WORKING for name in offered(fields))


def offered(fields: Mapping[str, Any]) -> list[str]:
    """The names of the tools that a request offers."""
    names = []
    tools = fields.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        owner = function if isinstance(function, dict) else tool
        name = owner.get("name") if isinstance(owner, dict) else None
        if isinstance(name, str):
            names.append(name)
    return names


def call_of(name: str, arguments: str) -> Call:
    """What a call of this tool with these arguments, written as JSON, does."""
    tool, arguments = plain(name), arguments[:_ARGUMENTS]
    if tool in EDITORS:
        return Call("search" if _VIEWS.search(arguments) else "edit")
    if tool in TESTERS:
        return Call("test", shell=True)
    if tool in SHELLS:
        return Call(_by_command(arguments), shell=True)
    if tool in SEARCHES:
        return Call("search")
    return Call("plan" if tool in PLANNERS else "other")


def _by_command(arguments: str) -> Sort:
    looks = _SHELL_SEARCH.match(arguments) is not None
    if _TEST_COMMAND.search(arguments) and not _NO_TEST.search(arguments):
        return "search" if looks else "test"
    if _SHELL_EDIT.search(arguments):
        return "edit"
    return "search" if looks else "shell"


def failed(call: Call, result: str) -> bool:
    """Whether a tool's result says that the call failed. That tests fail, or that a search finds
    nothing, is no failure of a call."""
    if call.sort == "test" and (_ran(result) or not _NOT_RUN.search(result[-_TAIL:])):
        return False
    return _says_error(call, result)


def _says_error(call: Call, result: str) -> bool:
    ends = result if len(result) <= _HEAD + _TAIL else f"{result[:_HEAD]}\n{result[-_TAIL:]}"
    code = None
    if call.shell or call.sort == "other":
        code = next((match[1].lstrip("-0") for match in _EXIT.finditer(ends)), None)
    if code is not None and not (call.sort == "search" and code == "1"):
        return code != ""
    if _SAYS_ERROR.match(ends) or (ends.lstrip()[:1] == "{" and _JSON_ERROR.search(ends)):
        return code is None or _ENDS_IN_ERROR.search(ends) is not None
    in_shell = call.sort in ("shell", "test")
    return in_shell and _ENDS_IN_ERROR.search(ends[-_TAIL:]) is not None


def tests_in(call: Call, result: str) -> Tests:
    """How the test run ended that a result shows; empty if it shows none."""
    if call.sort not in ("test", "shell", "edit") or not call.shell:
        return ""
    end = result[-_TAIL:]
    if _FAILED.search(end):
        return "failing"
    if _PASSED.search(end):
        return "passing"
    if call.sort != "test" or _NOT_RUN.search(end):
        return ""
    return "failing" if _says_error(call, result) else "passing"


def _ran(result: str) -> bool:
    """Whether the result of a test run shows results of tests."""
    end = result[-_TAIL:]
    return bool(_FAILED.search(end) or _PASSED.search(end))


_VIEWS = re.compile(r"\"command\"\s{0,3}:\s{0,3}\"(?:view|read|list)\"")
_NOT_RUN = re.compile(
    r"command not found|No module named|not recognized as|No such file or directory|"
    r"Missing script|no test (?:files|specified)|Permission denied|timed out|tool_use_error|"
    r"doesn't want to proceed|was rejected|can't open file|Could not find|ENOENT",
    re.I,
)
