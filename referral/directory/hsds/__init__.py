"""HSDS 3.2.3 in and out: its shape, its files, its words for what is ours."""
