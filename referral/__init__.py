"""Jejaring: resource-system directory and referral matcher for social workers in the broker role."""
