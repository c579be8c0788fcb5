#!/bin/sh
# Third-party files of the site, from npm, at these versions. What is fetched is compared with SHA256SUMS.
#
#     sh docs/vendor/fetch.sh
#
# | package | version | licence | what for |
# |---|---|---|---|
# | katex | 0.19.1 | MIT | formulas, set while the site is built; its styles and fonts are read by the browser |
# | iframe-worker | 1.0.4 | MIT | search in pages that are opened from a folder |
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get() { # NAME VERSION
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir -p "$1" && tar xzf "$1-$2.tgz" -C "$1" --strip-components=1)
}
get katex 0.19.1
get iframe-worker 1.0.4
cp "$work/katex/dist/katex.min.js" katex.min.js
mkdir -p ../assets/katex/fonts
cp "$work/katex/LICENSE" "$work/katex/dist/katex.min.css" ../assets/katex/
cp "$work"/katex/dist/fonts/*.woff2 ../assets/katex/fonts/
cp "$work/iframe-worker/shim/index.js" iframe-worker.js
cp "$work/iframe-worker/LICENSE" iframe-worker.LICENSE
sha256sum --check --quiet SHA256SUMS
