"""Commands: `flask <group> <command>`. Options are parsed, one operation runs, the answer is printed."""

from flask import Flask

from referral.cli import accounts, audit, db, demo, directory, match, needs, places

COMMANDS = (
    accounts.group,
    audit.group,
    db.group,
    demo.command,
    directory.group,
    needs.group,
    places.group,
    match.command,
)


def register_commands(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)
