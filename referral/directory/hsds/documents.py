"""Compiled HSDS documents as rows of our tables. Pure."""
