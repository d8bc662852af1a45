"""A terminal desk for operators of contact centres of compulsory medical insurance."""

__version__ = "0.1.0"
