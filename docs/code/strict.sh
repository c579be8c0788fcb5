# What every shell block of a page begins with: a line that fails ends it.
set -euo pipefail

# after `<!-- setup: quick -->`: models whose epochs are not said train for a few steps
if [ -n "${QUICK_STEPS:-}" ]; then
  laten() {
    python -c 'import sys
from laten.cli.main import main
from laten.training import settings
settings.AUTO_STEPS = int(sys.argv[1])
sys.exit(main(sys.argv[2:]))' "$QUICK_STEPS" "$@"
  }
fi
