"""Keeping listings true. Where to look:

What can be said of a listing    editing (the table of fields), values and timetable (reading), saying (in words)
A listing's rows as such values  listings, scheduling; and back: writing, with timing (hours), placing (where),
                                 recording (writes down what changes)
A change on its way              proposing, changes (what anyone may do with it), publishing; history, desk (lists)
Whether it is still true         verification, checking (whom to ask next), links and letters (asking by mail)
What others say                  reports and doubts, suggestions, claims
"""
