"""Directory and presence of colleagues.

=============  ==================================================================
directory      who can be called: entries, one search line for all of them; pure
settings       where the list comes from
=============  ==================================================================
"""
