"""Measures how a person writes: sentences, marks, greetings, favourite words. Pure functions."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from router.models.twin import Style
from router.request.language import language

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+|\n|\Z)")
_CONTRACTION = re.compile(r"(?<![^\W\d_])[^\W\d_]++['\u2019](?:t|s|re|ll|ve|d|m)\b", re.I)
_LISTED = re.compile(r"^[^\S\n]*+(?:[-*\u2022]|\d++[.)])\s|\b1\)\s", re.M)
_MARKS = (",", ";", ":", "!", "!!", "?", "...", "(", " - ")
_ONCE_IN = 0.15  # the share of texts that have a favourite phrase
_USUAL = 0.3  # the share of texts that begin or end alike
_MOST = 8
_LONGEST_LINE = 60  # characters of a greeting


def style_of(texts: Sequence[str]) -> Style:
    words = [_WORD.findall(text) for text in texts]
    total = max(1, sum(map(len, words)))
    sentences = [part.strip() for text in texts for part in _SENTENCE.findall(_body(text))]
    sentences = [part for part in sentences if _WORD.search(part)]
    starts = [match[0][0] for part in sentences if (match := _WORD.search(part))]
    return Style(
        language=language(" ".join(texts)),
        words=total / max(1, len(texts)),
        sentence_words=fmean(len(_WORD.findall(s)) for s in sentences) if sentences else 0.0,
        small_starts=fmean(float(s.islower()) for s in starts) if starts else 0.0,
        contractions=_rate([len(_CONTRACTION.findall(text)) for text in texts], total),
        marks={m: r for m in _MARKS if (r := _rate([t.count(m) for t in texts], total)) > 0},
        greetings=_usual([_greeting(text) for text in texts]),
        sign_offs=_usual([_sign_off(text) for text in texts]),
        favourites=_favourites(words),
        lists=fmean(float(bool(_LISTED.search(text))) for text in texts) if texts else 0.0,
    )


def profile(text: str) -> Mapping[str, float]:
    """How often pieces of three characters occur: what tells authors apart whatever they say."""
    plain = f" {' '.join(text.split())} "
    counts = Counter(plain[n : n + 3] for n in range(len(plain) - 2))
    return {piece: count / max(1, counts.total()) for piece, count in counts.items()}


def likeness(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The cosine of two profiles."""
    length = sum(v * v for v in first.values()) * sum(v * v for v in second.values())
    shared = sum(value * second.get(piece, 0.0) for piece, value in first.items())
    return float(shared / length**0.5) if length else 0.0


def _rate(counts: Sequence[int], total: int) -> float:
    return 100 * sum(counts) / total


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]


def _body(text: str) -> str:
    lines = _lines(text)
    return "\n".join(lines[1:-1]) if len(lines) > 2 else text


def _greeting(text: str) -> str:
    """The first line, with `NAME` in place of what differs."""
    line = _lines(text)[:1]
    if not line or len(line[0]) > _LONGEST_LINE:
        return ""
    head, mark, rest = line[0].partition(" ")
    return f"{head} NAME{line[0][-1]}" if mark and rest and not line[0][-1].isalnum() else line[0]


def _sign_off(text: str) -> str:
    """The last lines, as far as they are short."""
    last = [line for line in _lines(text)[-2:] if len(line) <= _LONGEST_LINE // 2]
    return " / ".join(last)


def _usual(lines: Sequence[str]) -> tuple[str, ...]:
    counts = Counter(line for line in lines if line)
    least = max(2, _USUAL * len(lines))
    return tuple(line for line, count in counts.most_common(2) if count >= least)


def _favourites(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Phrases of two or three words in many texts; the longer of two that contain each other."""
    counts: Counter[str] = Counter()
    for words in texts:
        plain = [word.casefold() for word in words]
        counts.update(
            dict.fromkeys(
                " ".join(plain[n : n + size])
                for n in range(len(plain))
                for size in (2, 3)
                if n + size <= len(plain) and max(map(len, plain[n : n + size])) > 3
            ).keys()
        )
    least = max(3, _ONCE_IN * len(texts))
    often = [phrase for phrase, count in counts.most_common(200) if count >= least]
    kept = [p for p in often if not any(p != other and p in other for other in often)]
    return tuple(kept[:_MOST])
