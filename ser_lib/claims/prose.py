"""What the book may say: no measured number typed by hand, no verdict that its rule does not give.

A number next to ``%``, "points" or an accuracy must come by ``glue`` from the records, unless it is
one that a paper printed, in a paragraph that names the source, or ``book/_typed.yml`` lists it with
a reason. A verdict word must be bound to its claim: injected as ``{glue:text}`` with the name
``verdict-ID``, or written as a link to the ledger, ``[not reproduced](#claim-ID)``. Words that
prose needs for much else (partly, undecided, open) are held to it only in such a link.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ser_lib.book.pages import sources

ALLOWED = "book/_typed.yml"

_NUMBER = r"(?<![\w.])(\d+(?:[.,]\d+)?)"
_KIND = r"(?:(?:class|overall|weighted|unweighted|mean)\s+)*"
_ACCURACY = rf"{_KIND}(?:accurac(?:y|ies)|UAR?|WAR?)\b"
_METRIC = rf"{_KIND}(?:accurac(?:y|ies)|recalls?|compactness|silhouettes?|UAR?|WAR?)\b"
_LINK_WORDS = (
    r"(?:\s+(?:of|is|was|are|were|at|to|about|around|by|from|above|below|between|near|nearly|"
    r"r[oi]ses?|fell|falls?|reach(?:es|ed)?|=|:))*\s*[=:(]?\s*"
)
_TYPED = (
    re.compile(rf"{_NUMBER}\s*(?:%|per\s?cent\b|(?:percentage\s+)?points?\b)"),
    re.compile(rf"\b{_METRIC}{_LINK_WORDS}{_NUMBER}"),
    re.compile(rf"{_NUMBER}\s+(?:of\s+|in\s+)?{_ACCURACY}"),
    re.compile(rf"\bratios?\b{_LINK_WORDS}(?<![\w.])(\d+\.\d+)"),
    re.compile(r"\|\s*[−+-]?(\d+\.\d+)\s*(?=\|\s*[−+-]?\d+\.\d)"),  # two cells of a table
)
_LEVEL = re.compile(
    r"\b9[059]\s*%\s+(?:(?:percentile|confidence|bootstrap)\s+)*intervals?|\bmiddle 9[059]\s*%"
)
_SOURCE = re.compile(r"\bpaper|\bTable \d|\bFigure \d|\bsection \d|\bposter\b|\{cite\}", re.I)
_VERDICT = re.compile(r"\b(?:(not|partly)\s+)?reproduced\b|\bnot testable here\b", re.I)
_LINKED = re.compile(rf"{_VERDICT.pattern}|\b(?:partly|undecided|open)\b", re.I)
_FENCE = re.compile(r"\s*(`{3,}|:{3,})\s*(.*?)\s*$")
_BOUND = re.compile(r"\[([^\]]*)\]\(#claim-([\w-]+)\)")
_INJECTED = re.compile(r"\{glue:text\}`verdict-([\w-]+)(?::[^`]*)?`")
_LITERAL = re.compile(r"glue\(\s*[\"']([^\"']+)[\"']\s*,\s*([-\d.][-\d._]*)\s*\)")
_GLUED = re.compile(r"glue\(\s*[\"']verdict-([\w-]+)[\"']\s*,\s*[\"']([^\"']*)[\"']")


@dataclass(frozen=True)
class Paragraph:
    """Some lines of prose, and where they stand."""

    page: str
    line: int
    text: str


def check(root: Path, printed: Collection[float], verdicts: Mapping[str, str]) -> list[str]:
    """List every typed metric and every verdict word that does not hold.

    Args:
        root: the repository.
        printed: numbers that the ledger quotes from its paper.
        verdicts: verdict of each claim.

    Raises:
        ValueError: the list of what is allowed is not valid.
    """
    allowed = _Allowed(root / ALLOWED)
    known = {*printed, *allowed.quoted}
    problems = []
    for paragraph in paragraphs(root):
        where = f"{paragraph.page}:{paragraph.line}"
        text = allowed.remove(paragraph)
        problems += [
            f"{where}: {found!r} is typed by hand: glue it from the records, or name its source"
            for found in typed(text, known)
        ]
        problems += [f"{where}: {problem}" for problem in _wrong_words(text, verdicts)]
    for passage in _ledgers(root):  # all of it is about a paper, whose own numbers may stand
        problems += [
            f"{passage.page}:{passage.line}: {found!r} is typed by hand"
            for found in typed(f"paper: {allowed.remove(passage)}", known)
        ]
    for source in sources(root):
        code = source.read_text(encoding="utf-8")
        problems += [
            f"{source.stem}: glues {value} as {name!r} by hand: compute it"
            for name, value in _LITERAL.findall(code)
        ]
        for name, word in _GLUED.findall(code):
            if word != verdicts.get(name):
                problems.append(
                    f"{source.stem}: glues {word!r} as the verdict on {name!r}, "
                    f"which is {verdicts.get(name, 'no claim')!r}"
                )
    return problems + allowed.unused()


def typed(text: str, printed: Collection[float] = ()) -> list[str]:
    """Metrics in a paragraph that nothing vouches for.

    Example:
        >>> typed("S+C reaches 75.2 % on our records, {glue:text}`gain:.1f` points more.")
        ['75.2 %']
        >>> typed("The paper prints 73.4 % (its Table 1).", {73.4})
        []
    """
    text = _LEVEL.sub("interval", plain(text))
    quoted = printed if _SOURCE.search(text) else ()
    found = []
    for pattern in _TYPED:
        for match in pattern.finditer(text):
            if float(match[1].replace(",", ".")) not in quoted:
                found.append(re.sub(r"\s+", " ", match[0]).strip())
    return found


def plain(text: str) -> str:
    """Prose without roles, inline code and comments; citations leave the word ``{cite}``.

    Example:
        >>> plain("{cite:p}`tripathi2019` has `dropout` 0.5 and {glue:text}`gain:.1f` %")
        '{cite} has CODE 0.5 and GLUE %'
    """
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"\{cite(?::\w+)?\}`[^`]*`", "{cite}", text)
    text = re.sub(r"\{glue:\w+\}`[^`]*`", "GLUE", text)
    text = re.sub(r"(?:\{[\w:-]+\})?`+[^`]*`+", "CODE", text)
    return text.replace("\\%", "%").replace("\\,", " ").replace("**", "").replace("$", "")


def _wrong_words(text: str, verdicts: Mapping[str, str]) -> Iterator[str]:
    for name in _INJECTED.findall(text):
        if name not in verdicts:
            yield f"no claim {name!r} for the verdict that is injected"
    for said, name in _BOUND.findall(text):
        if name not in verdicts:
            yield f"[{said}] points to claim {name!r}, which the ledger does not have"
            continue
        for word in (_word(match) for match in _LINKED.finditer(said)):
            if word != verdicts[name]:
                yield f"says {word!r} of claim {name!r}, whose rule gives {verdicts[name]!r}"
    for match in _VERDICT.finditer(plain(_BOUND.sub("", text))):
        yield f"{match[0]!r} is bound to no claim: write [{match[0]}](#claim-ID) or glue it"


def _word(match: re.Match[str]) -> str:
    word = " ".join(match[0].lower().split())
    return word.removesuffix(" reproduced") if word.startswith("partly") else word


def paragraphs(root: Path) -> Iterator[Paragraph]:
    """All prose of the book that people write: chapters' Markdown, captions, pages."""
    for source in sources(root):
        lines = source.read_text(encoding="utf-8").splitlines()
        yield from _blocks(f"notebooks/{source.name}", _chapter(lines))
    for page in [*sorted((root / "book").glob("*.md")), *sorted(root.glob("results/*/summary.md"))]:
        lines = page.read_text(encoding="utf-8").splitlines()
        yield from _blocks(page.relative_to(root).as_posix(), lines)


def _ledgers(root: Path) -> Iterator[Paragraph]:
    """What ledgers say in words, for their pages; verdict words there are rules and history."""
    import yaml

    for path in sorted(root.glob("results/*/claims.yml")):
        raw = path.read_text(encoding="utf-8")
        ledger = yaml.safe_load(raw)
        said = [ledger.get("about", ""), *ledger.get("deviations", ())]
        said += [
            c.get(part, "") for c in ledger["claims"] for part in ("says", "protocol", "reason")
        ]
        for text in filter(None, said):
            start = max(raw.find(" ".join(text.split()[:4])), 0)
            line = raw.count("\n", 0, start) + 1
            yield Paragraph(path.relative_to(root).as_posix(), line, text)


def _chapter(lines: list[str]) -> Iterator[str]:
    """One line of Markdown for each line of a source; code is empty but for its captions."""
    markdown = False
    for line in lines:
        if line.startswith("# %%"):
            markdown = "[markdown]" in line
            strings = re.findall(r'"(?:alt|caption)":\s*"((?:[^"\\]|\\.)*)"', line)
            yield " ".join(strings)
        else:
            yield (line[2:] if line.startswith("# ") else "") if markdown else ""


def _blocks(page: str, lines: Iterable[str]) -> Iterator[Paragraph]:
    """Cut at blank lines; code blocks and options of directives are left out."""
    block: list[str] = []
    fences: list[tuple[str, bool]] = []  # open ones: their mark, and whether they hold code
    start = 0
    for number, line in enumerate([*lines, ""], 1):
        fence = _FENCE.match(line)
        if fence and fences and not fence[2] and fence[1].startswith(fences[-1][0]):
            fences.pop()
            continue
        if fences and fences[-1][1]:
            continue
        if fence:
            code = not fence[2].startswith("{") or fence[2] in ("{code-block}", "{math}")
            fences.append((fence[1], code))
            line = fence[2].partition("}")[2]  # the title of a directive is prose
        if line.strip() and not re.match(r"\s*:[\w-]+:", line):
            start = start if block else number
            block.append(line)
        elif block and not line.strip():
            yield Paragraph(page, start, "\n".join(block))
            block = []


class _Allowed:
    """Numbers of other sources, and passages that may stand, each with its reason."""

    def __init__(self, path: Path) -> None:
        import yaml

        try:
            text = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
            entries = (text or {}).get("allowed", [])
            self.quoted = {float(n) for e in (text or {}).get("quoted", []) for n in e["numbers"]}
            self.passages = [(e["page"], e["text"]) for e in entries if e["reason"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: an entry lacks {error}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not valid: {error}") from error
        self.used: set[tuple[str, str]] = set()

    def remove(self, paragraph: Paragraph) -> str:
        """Text of a paragraph without the passages that may stand there."""
        text = re.sub(r"\s+", " ", paragraph.text)
        for page, passage in self.passages:
            if page == paragraph.page and passage in text:
                self.used.add((page, passage))
                text = text.replace(passage, " ")
        return text

    def unused(self) -> list[str]:
        """Name what the list allows and no page says any more."""
        return [
            f"{ALLOWED}: {passage!r} does not stand in {page}"
            for page, passage in self.passages
            if (page, passage) not in self.used
        ]
