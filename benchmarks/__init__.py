"""Measured comparisons: two ways of doing the same in one run, as ratios, medians and 95th percentiles."""
