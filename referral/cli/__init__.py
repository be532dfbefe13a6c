"""Commands: `flask <group> <command>`. Options are parsed, one operation runs, the answer is printed."""

from flask import Flask

from referral.cli import accounts, db

GROUPS = (accounts.group, db.group)


def register_commands(app: Flask) -> None:
    for group in GROUPS:
        app.cli.add_command(group)
