"""A report as a value, with two written forms: Markdown, and an HTML page without other files."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.3rem .7rem;border-bottom:1px solid #8884;text-align:left;"
    "vertical-align:top}pre{overflow-x:auto;padding:.7rem;background:#8881;border-radius:.3rem}"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style></head><body>
{body}
</body></html>
"""


@dataclass(frozen=True, slots=True)
class ReportSection:
    """Statements and a table, with the queries behind their figures."""

    title: str
    words: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    code: Sequence[tuple[str, str]] = ()  # captions, each with a program
    sql: Sequence[str] = ()

    @property
    def markdown(self) -> str:
        lines = [f"## {self.title}", ""]
        for words in self.words:
            lines += [words, ""]
        if self.rows:
            cells = [self.head, ["---"] * len(self.head), *self.rows]
            lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in cells]
            lines.append("")
        for caption, program in self.code:
            lines += [f"{caption}:", "", "```python", program.rstrip(), "```", ""]
        if self.sql:
            lines += ["<details><summary>ask again</summary>", ""]
            for query in self.sql:
                lines += ["```sql", query.strip(), "```", ""]
            lines += ["</details>", ""]
        return "\n".join(lines)

    @property
    def page(self) -> str:
        lines = [f"<h2>{html.escape(self.title)}</h2>"]
        lines += [f"<p>{html.escape(words)}</p>" for words in self.words]
        if self.rows:
            head = "".join(f"<th>{html.escape(name)}</th>" for name in self.head)
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self.rows)
            body = "".join(f"<tr>{row}</tr>" for row in rows)
            lines.append(f"<table><tr>{head}</tr>{body}</table>")
        for caption, program in self.code:
            lines.append(f"<p>{html.escape(caption)}:</p><pre>{html.escape(program)}</pre>")
        if self.sql:
            queries = html.escape("\n\n".join(query.strip() for query in self.sql))
            lines.append(f"<details><summary>ask again</summary><pre>{queries}</pre></details>")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class LearningReport:
    title: str
    sections: tuple[ReportSection, ...]

    @property
    def markdown(self) -> str:
        return "\n".join([f"# {self.title}\n", *(part.markdown for part in self.sections)])

    @property
    def page(self) -> str:
        title = html.escape(self.title)
        sections = "\n".join(section.page for section in self.sections)
        return _PAGE.format(title=title, style=_STYLE, body=f"<h1>{title}</h1>\n{sections}")


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
