# What every shell block of a page begins with: a line that fails ends it.
set -euo pipefail
