"""Names in the prose of a page: links, paths, modules, commands, headers, routes, settings.

Each name between backticks that looks like one of these must exist.
"""

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from experiments.readme import ROOT
from router.api.openapi import document
from router.config.config import Config
from tests.pages.blocks import prose
from tests.pages.shell import TARGETS, parse

_FILE = re.compile(r"[\w./-]*\.(py|md|ya?ml|json|sql|txt|toml|svg|png|c|tsv|lock)")
_FOLDER = re.compile(r"(\.\./)?[\w-]+/([\w-]+/?)*")
_HEADER = re.compile(r"x-waggle-[\w-]+")
_ROUTE = re.compile(r"(GET |POST )?(/(v1|health|metrics)[\w/-]*)")
_SETTING = re.compile(r"([a-z_]+)((?:\.[a-z_]+)+)")
_MODULE = re.compile(r"(router|learner|sandbox|dashboard|experiments|tests)(\.\w+)+")
# Files that only a user of Waggle has.
_OWN_FILES = (
    "waggle.yaml",
    "serve.yaml",
    "keys.json",
    "card.json",
    "report.json",
    "telemetry.duckdb",
    "manifest.json",
    "manifest.copy.json",
)


def mistakes(page: Path) -> Iterator[str]:
    """Each link and name on this page that does not exist, as a sentence."""
    text = prose(page)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not link.startswith(("http://", "https://")) and not _leads_somewhere(link, page):
            yield f"the link {link} leads nowhere"
    for code in re.findall(r"(?<!\[)`([^`\n]+)`", text):
        if not _exists(code, page):
            yield f"`{code}` does not exist"


def _leads_somewhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in headings(target)


@cache
def headings(page: Path) -> frozenset[str]:
    """The anchors that GitHub gives the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    lowered = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return frozenset(title.replace(" ", "-") for title in lowered)


def _exists(code: str, page: Path) -> bool:
    if code.startswith("waggle ") and "…" not in code:
        return _is_command(code)
    if code.startswith("make ") and "=" not in code:
        return set(code.split()[1:]) <= TARGETS
    if code in _OWN_FILES:
        return True
    if _HEADER.fullmatch(code):
        return code in _source()
    if route := _ROUTE.fullmatch(code):
        return route[2] in json.loads(document())["paths"]
    if _MODULE.fullmatch(code):
        return _is_module_or_member(code)
    if _FILE.fullmatch(code) or _FOLDER.fullmatch(code):
        return _is_file(code, page)
    if setting := _SETTING.fullmatch(code):
        field = Config.model_fields.get(setting[1])
        return field is None or _is_setting(field.annotation, setting[2].split(".")[1:])
    return True


def _is_command(code: str) -> bool:
    """Whether a command or a group of commands has this name. Its arguments may be missing."""
    words = shlex.split(code)[1:]
    try:
        parse(words)
    except AssertionError as error:
        return "needs a command" in str(error) or "|" in words
    except Exception as error:
        return "Missing" in str(error) or type(error).__name__ == "MissingParameter"
    return True


def _is_module_or_member(name: str) -> bool:
    module, _, member = name.rpartition(".")
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        path = ROOT / f"{module.replace('.', '/')}.py"
        return (
            path.exists()
            and re.search(rf"^\s*(class|def|async def)? ?{member}\b", path.read_text(), re.M)
            is not None
        )


def _is_file(code: str, page: Path) -> bool:
    if code.startswith(("./", "../shared/", "var/", "segments/")):
        return True  # a file in the user's folder, or beside the checkout
    if (page.parent / code).exists() or (ROOT / code).exists():
        return True
    # Perhaps a module below the page's folder.
    return "/" not in code and any(page.parent.rglob(code))


def _is_setting(annotation: Any, names: list[str]) -> bool:
    if not names:
        return True
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                if names[0] in (name, field.alias):
                    return _is_setting(field.annotation, names[1:])
    return False


@cache
def _source() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "router").rglob("*.py"))
