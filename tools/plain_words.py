"""Check that prose is easy to read: short sentences where newcomers begin, and no riddles anywhere.

    python tools/plain_words.py [--report] [PAGE ...]        # default: README.md and the pages of docs

Code, tables, formulas and headings do not count. A page where newcomers begin (README, the start page, tutorials,
how-to pages) fails if its mean sentence has more than 20 words; other pages are reported. Any page of the documentation
fails if it has one of the phrases below.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST = 20  # words in a mean sentence
FIRST = re.compile(r"README\.md$|/(en|id)/index\.md$|/(tutorials|how-to|coming-from)/")
FREE = ("decisions.md", "walks.md")  # for those who change laten
PHRASES = (
    r"as it is read|so read\b|read so\b|is what it is|takes? in its stride|none that was|in so far as",
    r"obviously|of course|basically|needless to say|please note|it should be noted|in order to",
)
RIDDLE = re.compile(rf"\b(?:{'|'.join(PHRASES)})\b", re.IGNORECASE)
# What is no prose, in the order in which it is left out.
NO_PROSE = (
    (r"(?ms)^(```|~~~).*?^\s*\1", "\n\n"),
    (r"(?s)<!--.*?-->|\\\[.*?\\\]|\$\$.*?\$\$", "\n\n"),
    (r"(?m)^\s*(\||#|!!!|\?\?\?|--8<--|===).*$", "\n"),
    (r"(?m)^ {4,}\S.*$(?<!\.)", "\n"),
    (r"\\\(.*?\\\)|\$[^$\n]+\$|`[^`\n]+`", "code"),
    (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"),
    (r"<[^>]+>", " "),
    (r"(?m)^\s*(?:[-*>]|\d+\.)\s", "\n\n"),
)


def sentences(text: str) -> list[str]:
    """Return the sentences of a page's prose; an item of a list is one or more of its own."""
    for pattern, instead in NO_PROSE:
        text = re.sub(pattern, instead, text)
    parts = [part for block in re.split(r"\n\s*\n", text) for part in re.split(r"(?<=[.!?])[*_)\"']*\s+", block)]
    return [" ".join(part.split()) for part in parts if len(re.findall(r"\w+", part)) > 1]


def words(sentence: str) -> int:
    """Return how many words a sentence has; a number, a sign or a piece of code between blanks is one."""
    return sum(1 for word in sentence.split() if re.search(r"\w", word))


def faults(path: Path, report: bool = False) -> list[str]:
    """Return what is wrong with a page, a line each."""
    name, found = path.as_posix(), sentences(path.read_text("utf-8"))
    mean = sum(map(words, found)) / max(1, len(found))
    if report:
        longest = max(found, key=words, default="")
        print(f"{mean:5.1f} words a sentence, {len(found):4} sentences, longest {words(longest):3}: {name}")
    wrong = [f"{name}: {riddle[0]!r} in: {s[:100]}" for s in found if (riddle := RIDDLE.search(s))]
    if mean > MOST and FIRST.search(name):
        wrong.append(
            f"{name}: {mean:.1f} words in a mean sentence, more than {MOST}; the longest: {max(found, key=words)}"
        )
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Check pages; return the exit status."""
    named = [Path(a) for a in arguments if a != "--report"]
    pages = named or [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").rglob("*.md")) if p.name not in FREE)]
    wrong = [line for page in pages for line in faults(page, report="--report" in arguments)]
    print("\n".join(wrong) if wrong else f"Plain words: {len(pages)} pages are easy to read")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
