"""`make bench`: runs every benchmark and prints what it measured."""

from benchmarks import disclosure, duplicates, load, matching, rivals, search

matching.main()
rivals.main()
load.main()
search.main()
duplicates.main((20_000, 100_000))
disclosure.main()
