"""What every room stands on: database types, sealing, errors, sentences, distance, pages. Imports nothing of ours."""
