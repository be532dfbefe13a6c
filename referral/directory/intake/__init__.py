"""Listings from elsewhere on their way into the directory. Where to look:

Which file it is       formats, which opens it as a reader (batches.Reader); uploads, bombs (files made to do harm)
HSDS                   hsds: its files and what they mean
Tables and maps        files, folders with folder_mapping, geojson, osm; mapping turns a row into a listing
                       (listings), rows and reading turn listings into rows of ours
Into the directory     runs (batch after batch, kept in models), upsert with differences and tables; memory
"""
