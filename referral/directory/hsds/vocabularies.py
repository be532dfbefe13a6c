"""Our own facts as HSDS attributes: the vocabularies `jejaring:*`, read and written side by side. Pure."""
