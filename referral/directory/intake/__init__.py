"""Listings from elsewhere on their way into the directory."""
