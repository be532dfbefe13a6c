"""HSDS 3.2.3: its shape and values, our own facts in its words, and the directory going out. It comes in by `intake.hsds`."""
