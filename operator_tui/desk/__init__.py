"""The desk of one signed-in operator: its parts wired together, without a face.

Screens call it and listen to it; it never blocks on the network, the disk or the sound.
"""
