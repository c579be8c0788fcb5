"""From files, frames and arrays to compact rows, and back. Knows no model.

file --read--> frame --infer_schema--> Schema
frame --encode(schema)--> Rows --(model)--> values --decode--> frame
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
