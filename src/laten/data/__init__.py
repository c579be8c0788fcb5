"""From files, frames and arrays to compact rows, and back. Knows no model.

    file --read--> frame --infer_schema--> Schema
    frame --encode(schema)--> Rows --(model)--> values --decode--> frame

Each name is imported from the file it lives in, so that nothing is loaded that is not used.
"""
