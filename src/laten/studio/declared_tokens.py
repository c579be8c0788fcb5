"""The words of a declaration's text, looked at one by one before any of it is parsed.

Only plain texts, numbers, names that are no keywords, and brackets pass, not too many in one another: neither the
parser's stack nor a number can then be out of bounds, and most of what Python can say is refused here already.
"""

import io
import keyword
import tokenize

from laten.common.errors import DeclarationError

MOST_TEXT, MOST_STRING, MOST_DIGITS = 100_000, 500, 24  # characters
MOST_BRACKETS, MOST_DOTS = 8, 3  # brackets in one another; dots in one expression
TOKENS = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP, tokenize.COMMENT, tokenize.NL,
          tokenize.NEWLINE, tokenize.ENDMARKER)  # fmt: skip
OPENING, CLOSING, OTHERS = "([{", ")]}", (",", "=", ":", ".", "-", "**")


def check_tokens(text: str) -> None:
    """Check that text holds only literals, names and brackets, not too many in one another.

    Raises:
        DeclarationError: something else.
    """
    if len(text) > MOST_TEXT:
        raise DeclarationError(f"line 1: {len(text)} characters; at most {MOST_TEXT} are read")
    dots, before = [0], ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            said = token.string
            reason = refused(token.type, said, before)
            if reason:
                raise DeclarationError(f"line {token.start[0]}: {reason}")
            if token.type == tokenize.OP and said in OPENING:
                dots.append(0)
            elif token.type == tokenize.OP and said in CLOSING and len(dots) > 1:
                dots.pop()
            elif said in (",", "=", ":") or token.type == tokenize.NEWLINE:
                dots[-1] = 0
            dots[-1] += said == "."
            if len(dots) - 1 > MOST_BRACKETS or dots[-1] > MOST_DOTS:
                raise DeclarationError(f"line {token.start[0]}: nested too deeply for a declaration")
            before = before if token.type in (tokenize.NL, tokenize.COMMENT) else said
    except (tokenize.TokenError, SyntaxError) as error:
        where = error.lineno if isinstance(error, SyntaxError) else error.args[1][0]
        raise DeclarationError(f"line {where or 1}: a bracket, a quote or an indentation is not in place") from None


def refused(kind: int, said: str, before: str) -> str:
    """Return why a token cannot stand after the one before; empty: it can."""
    if kind in (tokenize.INDENT, tokenize.DEDENT):
        return "lines begin at the left margin, or inside brackets"
    if kind not in TOKENS or (kind == tokenize.OP and said not in (*OPENING, *CLOSING, *OTHERS)):
        return f"{said.strip()[:20]!r} is not part of a declaration"
    if kind == tokenize.NAME and keyword.iskeyword(said) and said not in ("True", "False", "None"):
        return f"{said!r} is not part of a declaration"
    if kind == tokenize.STRING and (said[0] not in "'\"" or len(said) > MOST_STRING):
        return f"texts are plain, in quotes without a letter before, of at most {MOST_STRING} characters"
    if kind == tokenize.NUMBER and len(said) > MOST_DIGITS:
        return f"a number of {len(said)} digits"
    after = before[-1:] if before else ""
    if (said in ("(", "[") and after in (")", "]", "}")) or (said == "-" and before == "-"):
        return f"{said!r} cannot stand after {before!r}"
    if said == "**" and before not in ("(", ","):
        return "'**' stands only before a dictionary of nodes"
    return ""
