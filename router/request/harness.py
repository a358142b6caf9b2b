"""Tells what users wrote from what an agent's harness adds to their messages. Pure functions.

Harnesses put blocks such as `<system-reminder>` and `<environment_context>`, and standing sentences
about todo lists, into messages of the user. Whatever else stands in such a message stays, word for
word. A tag in quotes, or one that is never closed, is the user's own.

Each text is read once from its beginning to its end.
"""

import re

from router.request.cues import cued

_BLOCKS = (
    *("system-reminder", "system_reminder", "environment_context", "environment_details"),
    *("user_instructions", "user-instructions", "INSTRUCTIONS", "permissions instructions"),
    *("skills_instructions", "collaboration_mode", "turn_aborted", "subagent_notification"),
    *("command-name", "command-message", "command-contents", "local-command-stdout"),
    *("local-command-stderr", "local-command-caveat", "bash-input", "bash-stdout", "bash-stderr"),
    *("ide_selection", "ide_opened_file", "ide_diagnostics", "new-diagnostics", "user_info"),
    *("project_layout", "git_status", "open_and_recently_viewed_files", "todo_reminder"),
    *("additional_data", "attached_files", "workspace_info", "editorContext", "editor_context"),
    *("reminderInstructions", "reminder", "todo_list", "todo-list", "todo-reminder"),
    *("agent_reminder", "session_context", "token_budget", "user-prompt-submit-hook"),
    *("always_applied_workspace_rules", "agent_skills", "task-notification"),
    *("toolUseInstructions", "user-memory-input", "user_memory", "uploaded_files", "info-msg"),
    *(
        "linter_errors",
        "recently_viewed_files",
        "attachments",
        "persistent_memory",
        "file_contents",
        "EXTRA_INFORMATION",
        "RUNTIME_INFO",
    ),
)
_WRAPS = (
    *("user_query", "userRequest", "user_message", "user_request", "command-args", "task"),
    *("feedback", "answer", "issue_description", "pr_description"),
)
_OPENS = re.compile(
    "<(" + "|".join(map(re.escape, (*_BLOCKS, *_WRAPS))) + r")(?: [^<>\n]{0,200})?>", re.I
)
_WRAPPED = frozenset(name.lower() for name in _WRAPS)
_LISTED = re.compile(r"\s{0,6}\d{1,6}[\t→].{0,9999}")  # a line of a file that a tool has read
_QUOTES = "`'\"“"
# Standing sentences of harnesses: the paragraph that begins so goes with it.
_STANDING = cued(
    r"^(?:This is a reminder that your todo list|Your todo list (?:has changed|is currently empty)|"
    r"The TodoWrite tool hasn.t been used|The task tools haven.t been used|"
    r"Caveat: The messages below were generated|# AGENTS\.md instructions for|"
    r"# TODO LIST (?:UPDATE|CREATION)|"
    r"DO NOT mention this to the user|"
    r"Plan mode is (?:still )?active|\[SYSTEM NOTICE|\[(?:ERROR|NOTICE)\] You did not use a tool|"
    r"Please continue working on the task on whatever approach|This is the Gemini CLI\. We are|"
    r"Result of search in '|\[\w{1,40} for '[^'\n]{1,200}'\] Result:|"
    r"\[Your previous (?:response|output) was|The user opened the file)",
    "reminder todo todowrite tools caveat agents mention mode system error notice whatever gemini "
    "result previous opened",
    flags=re.I | re.M,
)
# A mark of a harness at the beginning of a message, before what the user wrote.
_MARK = re.compile(r"\s{0,9}\[Request interrupted by user[^\]\n]{0,80}\]\s{0,9}")
# A message that begins so is the harness's to its end.
_WHOLE = (
    "This session is being continued from a previous conversation",
    "EXECUTION RESULT of [",
)
_MARGIN = 200  # characters beside a block that show whether it stands in a sentence
# A message of the user that came while the agent worked, and that the harness passed on.
_PASSED_ON = re.compile(r"\s{0,9}The user sent the following message:\s{0,9}", re.I)
_SMALL = {letter: letter + 32 for letter in range(ord("A"), ord("Z") + 1)}


def without_reminders(text: str) -> str:
    """What a user wrote in a message: the text without all that the harness added."""
    if text[:200].lstrip().startswith(_WHOLE):
        return ""
    mark = _MARK.match(text)
    kept = text[mark.end() :] if mark is not None else text
    kept = _outside(kept) if "<" in kept else kept
    if _STANDING.search(kept) is not None:
        paragraphs = kept.split("\n\n")
        kept = "\n\n".join(p for p in paragraphs if not _STANDING.pattern.match(p.lstrip()))
    if kept is text:
        return text
    kept = kept.strip()
    lines = kept.splitlines()
    return "" if lines and all(map(_LISTED.fullmatch, lines)) else kept


def _outside(text: str, *, wraps: bool = True) -> str:
    """The text outside of the harness's blocks. With `wraps`, without the tags in which a harness
    wraps what a user wrote."""
    folded = text.translate(_SMALL)  # each letter keeps its place
    parts, at, unclosed = list[str](), 0, set[str]()
    closes: dict[str, int] = {}  # the next end of each block, so that each is looked for once
    fences, counted = 0, 0  # code fences before a place
    for opening in _OPENS.finditer(text):
        name, (start, end) = opening[1].lower(), opening.span()
        fences, counted = fences + text.count("```", counted, start), start
        if start < at or name in unclosed or fences % 2:
            continue
        if name in _WRAPPED and (not wraps or text[at:start].strip()):
            continue  # in the middle of a sentence it is the user's own
        close = closes.get(name, 0)
        if close < end:
            close = closes[name] = folded.find(f"</{name}>", end)
        if close < 0:
            unclosed.add(name)
            continue
        after = close + len(name) + 3
        if not _stands_alone(text, at, start, after):
            continue
        parts.append(text[at:start])
        if name in _WRAPPED:
            parts.append(_outside(text[end:close], wraps=False).strip())
        elif (message := _PASSED_ON.match(text, end, close)) is not None:
            parts.append(
                text[message.end() : close].partition("\n\nPlease address this")[0].strip()
            )
        at = after
    return "".join((*parts, text[at:])) if parts else text


def _stands_alone(text: str, at: int, start: int, after: int) -> bool:
    """Whether a block begins a line, follows another block that ends at `at`, or ends the text. In
    the middle of a sentence or in quotes it is the user's own."""
    near = max(at, start - _MARGIN)
    line = text[max(near, text.rfind("\n", near, start) + 1) : start]
    if not line.strip():
        return True
    return (
        line[-1] not in _QUOTES
        and not text[after : after + 1].strip()
        and (not text[after : after + _MARGIN].strip())
    )
