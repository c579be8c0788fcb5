"""The article as a post for a Jekyll blog, from the built site: a post, and a folder of what it needs.

    make article                                     # builds the site, then build/article
    python tools/post.py [SITE] [FOLDER]             # default: build/docs, build/article

Copy what lies in FOLDER into the blog's folder: `_posts/` and `assets/laten/`. The post is HTML with front matter: its
code has run, its formulas are set, its figures move.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TITLE = "Variational Autoencoder: Membangun Model Generatif dengan Neural Networks"
DATE = "2018-11-18"
EXCERPT = "log P(x) = KL + ELBO, diturunkan baris demi baris, dengan angka dan gambar yang bergerak."
FRONT = f"""---
layout: post
title: "{TITLE}"
date: {DATE}
categories: machine-learning
lang: id
excerpt: "{EXCERPT}"
---
"""
STYLES = ("katex/katex.min.css", "site.css", "post.css")
HOME = "{{ '/assets/laten' | relative_url }}"


def article_of(page: str) -> str:
    """Return what stands inside the page's article, without its title and its editing marks."""
    found = re.search(r"<article[^>]*>(.*?)</article>", page, re.DOTALL)
    if not found:
        raise SystemExit("no article in the page: build the site first (make docs)")
    body = re.sub(r"<h1.*?</h1>", "", found[1], count=1, flags=re.DOTALL)
    body = re.sub(r'<a class="headerlink".*?</a>', "", body, flags=re.DOTALL)
    return re.sub(r"<form.*?</form>", "", body, flags=re.DOTALL)


def post_of(page: str) -> str:
    """Return the whole post."""
    body = article_of(page)
    scripts = "".join(
        re.findall(r'<script type="importmap">.*?</script><script type="module">.*?</script>', page, re.DOTALL)
    )
    guarded = f"{{% raw %}}\n{body}\n{scripts}\n{{% endraw %}}"
    guarded = re.sub(r'src="(?:\.\./|\./)?images/', f'src="{{% endraw %}}{HOME}{{% raw %}}/images/', guarded)
    styles = "".join(f'<link rel="stylesheet" href="{HOME}/{name}">\n' for name in STYLES)
    return f'{FRONT}{styles}<div class="md-typeset laten-article" lang="id">\n{guarded}\n</div>\n'


def main() -> None:
    """Write the post and its assets."""
    site, out = (
        Path(sys.argv[i]) if len(sys.argv) > i else ROOT / "build" / name for i, name in ((1, "docs"), (2, "article"))
    )
    shutil.rmtree(out, ignore_errors=True)
    page = (site / "id" / "article.html").read_text()
    post = out / "_posts" / f"{DATE}-variational-autoencoder.html"
    post.parent.mkdir(parents=True)
    post.write_text(post_of(page))
    assets = out / "assets" / "laten"
    shutil.copytree(site / "id" / "assets" / "katex", assets / "katex")
    for name in ("site.css", "post.css"):
        shutil.copy(ROOT / "docs" / "assets" / name, assets)
    needed = set(re.findall(r'src="(?:\.\./|\./)?images/([^"]+)"', page))
    for name in sorted(needed):
        (assets / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(site / "id" / "images" / name, assets / "images" / name)
    print(f"{post}, and {sum(f.is_file() for f in assets.rglob('*'))} files beside it")


if __name__ == "__main__":
    main()
