"""Errors and warnings of the library as sentences for whoever asks over HTTP: no Python, which they may not speak."""

import re

PHRASES = (
    (r"; lt\.missing: it has none", "; null: it has none"),
    (r"lt\.between\(low, high\)( or a list)?", r'text such as "30..40"\1'),
    (r"; predict_proba gives the probabilities of classes", ""),
    (
        r"[;,] (or )?(convert|make|bring|set) (it|them|the column|its kind).*?(frame\[|pd\.|schema\.|kinds=).*",
        "; send null where there is no such value",
    ),
    (r"[;:,] [^;:,]*schema\.with_kind\(.*", ""),
    (r"; use more than \d+ draws, or train longer or with lt\.Iwae", ""),
    (r" or pd\.Timedelta\(hours=3\)", ""),
    (r"pd\.to_timedelta\(\.\.\.\), with its unit if they are numbers", "write them as in '2 days 03:30:00'"),
    (r"; convert it, e\.g\. images\.astype\('uint8'\)", ""),
    (r"\bthe frame lacks\b", "the rows lack"),
    (r"\bthe frame\b", "the rows"),
    (r"rename it, or add it with empty cells to treat it as missing", "add what is not known as null"),
    (r"vae\.save\(path\)", "laten fit"),
    (r": upgrade with pip install -U laten", ""),
)  # fmt: skip
COMPILED = tuple((re.compile(python), said) for python, said in PHRASES)


def sentence(error: object) -> str:
    """Return a message as one line without Python."""
    text = " ".join(str(error).split())
    for python, said in COMPILED:
        text = python.sub(said, text)
    return text
