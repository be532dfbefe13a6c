"""`make bench`: runs every benchmark and prints what it measured."""

from benchmarks import matching, search

matching.main()
search.main()
