"""What the page about classical networks starts from: rows to ask about."""

import laten as lt

frame = lt.read_bif("docs/asia.bif").sample(20)
