"""Pages for people: permission, parse, one operation, commit, answer."""
