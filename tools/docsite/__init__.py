"""What `tools/site.py` is made of: pages and their navigation, code blocks, formulas, moving figures, links."""
