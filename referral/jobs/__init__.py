"""Work that nobody waits for: letters out, files in.

`TASKS` in `tasks` is all there is. A task may run twice, late or on several machines at once and the
database ends up the same.
"""
