"""The planner's pages of gaps: what was published, as a map and a table, and as files."""
