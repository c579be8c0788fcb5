"""The tools of every floor: errors, types, safe numerics, random keys, atomic files, the compilation cache.

Not a drawer: a file comes in only when folders on three floors need it, and it imports nothing of ours above.
"""
