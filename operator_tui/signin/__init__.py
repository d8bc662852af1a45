"""Signing in: enrolment of this workstation, session with the server, sign-in without it, and the idle lock."""
