"""Owners, grants, asks and their decisions; see the README beside this file."""
