#!/bin/sh
# Virtual environments of the libraries that the benchmarks run beside laten, outside the repository:
#
#     sh benchmarks/peers/setup.sh [pyod] [sdv] [hyperimpute] [pgmpy]
#
# They pin one another out, so each family has its own. The folder is $LATEN_PEERS, or ~/.cache/laten-peers; the Python
# $PYTHON, or python3.11. An environment that is already there with the same packages is left as it is; a half-made one
# is made again. torch comes first: the CPU build is enough, and what follows must not replace it.
set -eu

peers=${LATEN_PEERS:-$HOME/.cache/laten-peers}
python=${PYTHON:-python3.11}

make() {
    name=$1
    shift
    folder=$peers/$name
    if [ -f "$folder/ready" ] && [ "$(cat "$folder/ready")" = "$*" ]; then
        echo "$name: there, in $folder"
        return
    fi
    echo "$name: making $folder (minutes)"
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check torch==2.13.0 "$@"
    echo "$*" >"$folder/ready"
}

family() {
    case $1 in
    pyod) make pyod pyod==3.6.7 tqdm ;;
    sdv) make sdv ctgan==0.12.1 sdmetrics==0.11.1 "setuptools<81" ;;
    hyperimpute) make hyperimpute hyperimpute==0.1.17 "pandas<3" "scikit-learn<1.6" ;;
    pgmpy) make pgmpy pgmpy==1.1.2 ;;
    *)
        echo "setup.sh: no family '$1'; there are pyod, sdv, hyperimpute and pgmpy" >&2
        exit 2
        ;;
    esac
}

[ $# -gt 0 ] || set -- pyod sdv hyperimpute pgmpy
for each in "$@"; do
    family "$each"
done
