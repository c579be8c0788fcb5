"""The command line. `commands` says what can be typed and loads nothing heavy; the modules beside it do the work."""
