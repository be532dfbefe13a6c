"""The directory for other systems, over HTTP and without pages."""
