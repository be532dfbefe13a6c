"""Listings that are one and the same: finding, merging, taking apart again."""
