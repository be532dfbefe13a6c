"""Complaints about help that was refused or failed: carried to an alternative, or to where harm is looked into."""
