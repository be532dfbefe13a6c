"""Public search of the directory: by words that may be misspelt, by place, and by what is known of the person."""

from referral.directory.search.queries import LONGEST_QUERY as LONGEST_QUERY
from referral.directory.search.queries import Hit as Hit
from referral.directory.search.queries import Near as Near
from referral.directory.search.queries import Results as Results
from referral.directory.search.queries import ids as ids
from referral.directory.search.queries import search as search
