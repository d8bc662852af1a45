"""The registry of insured people in PostgreSQL: the desk's own search over the desk's own layout.

One schema a region (``people_26``), filled from a finished registry file and put in place in one transaction. Regions
never share a table: an office sees its own, and the country is as many schemas as it has regions.
"""
