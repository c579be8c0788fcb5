#!/bin/sh
# Third-party files of the studio, from npm, at these versions. What is fetched is compared with SHA256SUMS.
#
#     sh tools/studio_vendor.sh
#
# | package | version | licence | what for |
# |---|---|---|---|
# | htm | 3.1.1 | Apache-2.0 | components without a build step; its standalone file holds Preact (MIT) |
# | preact | 11.2.0 | MIT | its licence |
# | d3 | 7.9.2 | ISC | scales, ticks and colours of pictures |
set -eu
cd "$(dirname "$0")/../src/laten/studio/static/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get() { # NAME VERSION
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir -p "$1" && tar xzf "$1-$2.tgz" -C "$1" --strip-components=1)
    cp "$work/$1/LICENSE" "$1.LICENSE"
}
get htm 3.1.1
get preact 11.2.0
get d3 7.9.2
cp "$work/htm/preact/standalone.module.js" preact-htm.js
cp "$work/d3/dist/d3.min.js" d3.js
sha256sum --check --quiet SHA256SUMS
