#!/bin/sh
# Virtual environments of the libraries that the benchmarks run beside laten, outside the repository:
#
#     sh benchmarks/peers/setup.sh [pyod] [sdv] [hyperimpute] [pgmpy] [pythae] [numpyro] [scvi]
#         [mostlyai]
#
# They pin one another out, so each family has its own. The folder is $LATEN_PEERS, or ~/.cache/laten-peers; the Python
# $PYTHON, or python3.11. An environment that is already there with the same packages is left as it is; a half-made one
# is made again. torch comes first where it is needed: the CPU build is enough, and what follows must not replace it.
# The plain PyTorch loop runs in pythae's environment, so that both have the same torch.
set -eu

peers=${LATEN_PEERS:-$HOME/.cache/laten-peers}
python=${PYTHON:-python3.11}

torch="torch==2.13.0"

make() { # NAME BASE PACKAGES...: BASE is "$torch" or ""
    name=$1
    base=$2
    shift 2
    folder=$peers/$name
    if [ -f "$folder/ready" ] && [ "$(cat "$folder/ready")" = "$*" ]; then
        echo "$name: there, in $folder"
        return
    fi
    echo "$name: making $folder (minutes)"
    rm -rf "$folder"
    "$python" -m venv "$folder"
    if [ -n "$base" ]; then
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$base"
    fi
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check ${base:+"$base"} "$@"
    echo "$*" >"$folder/ready"
}

family() {
    case $1 in
    pyod) make pyod "$torch" pyod==3.6.7 tqdm ;;
    sdv) make sdv "$torch" ctgan==0.12.1 sdmetrics==0.11.1 "setuptools<81" ;;
    hyperimpute) make hyperimpute "$torch" hyperimpute==0.1.17 "pandas<3" "scikit-learn<1.6" ;;
    pgmpy) make pgmpy "$torch" pgmpy==1.1.2 ;;
    pythae) make pythae "$torch" pythae==0.1.2 ;;
    numpyro) make numpyro "" numpyro==0.22.0 jax==0.10.2 ;;
    scvi) make scvi "$torch" scvi-tools==1.4.2 ;;
    mostlyai)
        make mostlyai "$torch" mostlyai-engine==2.7.3
        # built for another torch than the CPU's; transformers loads them where they are, and fails
        "$peers/mostlyai/bin/python" -m pip uninstall --quiet --yes torchvision torchaudio 2>/dev/null
        ;;
    *)
        echo "setup.sh: no family '$1'; there are pyod, sdv, hyperimpute, pgmpy, pythae, numpyro, scvi and mostlyai" >&2
        exit 2
        ;;
    esac
}

[ $# -gt 0 ] || set -- pyod sdv hyperimpute pgmpy pythae numpyro scvi mostlyai
for each in "$@"; do
    family "$each"
done
