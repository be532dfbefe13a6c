"""Keeping listings true: changes on their way, claims, checks, reports."""
