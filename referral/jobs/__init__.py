"""Work that nobody waits for: letters out, files in."""
