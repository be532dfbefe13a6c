"""`make bench`: runs every benchmark and prints what it measured."""

from benchmarks import duplicates, matching, search

matching.main()
search.main()
duplicates.main((20_000, 100_000))
