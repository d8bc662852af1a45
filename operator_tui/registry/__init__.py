"""The registry of insured people: identifiers, names, index and search."""
