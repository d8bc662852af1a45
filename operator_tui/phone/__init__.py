"""The telephone: the seam PhoneLine, its lines, sound, the engine process and the desk's side of it.

==================  =============================================================================
line                the seam: what a line is; whoever drives or follows one imports its words from here
values, events      a call, a registration, the sound, settings of a line; what happens, and the picture of it; pure
calls, numbers      the table of a call's moves; numbers as they are kept and dialled; pure
base                what every line shares
simulated           synthetic callers by clock and seed
sip, sip_setup,     SIP by baresip-python: calls, settings found the hard way, the watchdog on
sip_commands,       the registration, the stack's errors as refusals, the sound of one talk, how well it is heard
sip_registration,
talk, hearing
sound, portaudio,   the sound card and what stands in for one, its port, which devices there are now, ports
talk_port, finding, without a card, the limiter for the ear, the ring
ports, limiter,
tones
engine, attending,  the process that owns line and sound, its end of the socket, its sound, what crosses the
sounding, acts,     socket, how it stands apart from the desk, what it writes down, ending tasks for good
wire, process, log,
tasks
queue               the PBX's queue and who of the colleagues is free, through its manager interface
recorder, recording talks in encrypted files, from the answer on; the same as Ogg Opus
opus
playing, playback,  a recording in the ear: the desk's end, the process that plays, faster at its own
stretch, sound_file pitch, what a file of sound holds, and that all where the engine is
listening
remote,             the desk's side: all a desk imports, cheap to import
remote_acts
commands, settings, what the room registers with the rest of the program
cli
==================  =============================================================================
"""
