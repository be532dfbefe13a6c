"""HSDS coming in: its files, its objects as rows of ours, and what they mean to us."""
