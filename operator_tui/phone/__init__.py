"""The telephone: the seam PhoneLine, its lines, sound, the engine process and the desk's side of it.

==================  =============================================================================
line                the seam: calls, events, capabilities, settings of a line; pure
calls, numbers      the table of a call's moves; numbers as they are kept and dialled; pure
base                what every line shares
simulated           synthetic callers by clock and seed
sip, sip_setup,     SIP by baresip-python: calls, settings found the hard way, the watchdog on
sip_commands,       the registration, the stack's errors as refusals, the sound of one talk
sip_registration,
talk
sound, tones        PortAudio, the ring, ports for tests
engine, acts, wire, the process that owns line and sound, what crosses its socket, how it stands
process, log        apart from the desk, what it writes down
remote              the desk's side: all a desk imports, cheap to import
commands, settings, what the room registers with the rest of the program
cli
==================  =============================================================================
"""
